"""The registry from the command line."""

import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from django.core.management import CommandError, call_command

from mlplatform.tenancy.models import AuditEvent, Tenant
from registry.frames import dataset_frame
from registry.models import Prediction
from tests.factories import make_champion, make_model, make_version, table

pytestmark = pytest.mark.usefixtures("in_tenant")


def run(command: str, *arguments: str) -> Any:
    """The command's JSON answer, run for the clinic."""
    out = io.StringIO()
    call_command(command, "--tenant", "clinic", "--json", *arguments, stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A CSV of 25 rows with case names, and with the target, which prediction ignores."""
    file = tmp_path / "rows.csv"
    table().head(25).assign(case=[f"case-{n}" for n in range(25)]).to_csv(file, index=False)
    return file


def test_promote_and_rollback() -> None:
    model = make_model()
    make_version(model), make_version(model)
    assert run("promote", "--model", "cancer", "--number", "1")["champion"] == 1
    promoted = run("promote", "--model", "cancer", "--number", "2", "--reason", "newer")
    assert (promoted["champion"], promoted["previous"], len(promoted["gates"])) == (2, 1, 4)
    assert run("rollback", "--model", "cancer", "--reason", "complaints")["champion"] == 1
    assert AuditEvent.objects.filter(action="model.rolled_back", actor_kind="command").count() == 1


def test_expected_failures_are_sentences() -> None:
    make_model()
    with pytest.raises(CommandError, match="has no version 7"):
        run("promote", "--model", "cancer", "--number", "7")
    with pytest.raises(CommandError, match="no earlier champion"):
        run("rollback", "--model", "cancer")
    with pytest.raises(CommandError, match="no model 'nothing'"):
        run("rollback", "--model", "nothing")


def test_list_models_names_the_champion() -> None:
    make_champion()
    make_model("waiting")
    listed = {row["name"]: (row["champion_number"], row["version_count"]) for row in run("list_models")}
    assert listed == {"cancer": (1, 1), "waiting": (None, 0)}


def test_list_models_as_a_table_for_people() -> None:
    make_champion()
    out = io.StringIO()
    call_command("list_models", "--tenant", "clinic", stdout=out)
    assert "cancer" in out.getvalue()


def shown(command: str, *arguments: str) -> str:
    """What the command prints for people."""
    out = io.StringIO()
    call_command(command, "--tenant", "clinic", *arguments, stdout=out)
    return out.getvalue()


def test_create_model_tells_what_was_made_and_refuses_a_taken_name() -> None:
    arguments = ("--name", "churn", "--target", "left", "--problem", "classification")
    assert "model: churn" in shown("create_model", *arguments)
    with pytest.raises(CommandError, match="'churn' exists already"):
        shown("create_model", *arguments)
    with pytest.raises(CommandError, match="cannot be used"):
        shown("create_model", "--name", "Churn Risk", *arguments[2:])


def test_promote_tells_each_gates_verdict_in_a_line_of_its_own() -> None:
    make_version()
    lines = shown("promote", "--model", "cancer", "--number", "1").splitlines()
    assert "champion: 1" in lines
    assert "previous: none" in lines
    assert any(line.startswith("  Takes the same rows") for line in lines)


def test_rollback_to_a_version_of_ones_choice() -> None:
    model = make_model()
    for _ in range(3):
        make_champion(model)
    assert "champion: 1" in shown("rollback", "--model", "cancer", "--to", "1")
    with pytest.raises(CommandError, match="is the champion already"):
        shown("rollback", "--model", "cancer", "--to", "1")
    make_version(model)
    with pytest.raises(CommandError, match="never been champion"):
        shown("rollback", "--model", "cancer", "--to", "4")


def test_passing_over_gates_needs_a_reason() -> None:
    make_version()
    with pytest.raises(CommandError, match="Say why"):
        shown("promote", "--model", "cancer", "--number", "1", "--override")


def test_predict_asks_the_version_of_ones_choice(rows: Path, tmp_path: Path) -> None:
    model = make_champion().model
    make_version(model)
    files = ("--input", str(rows), "--output", str(tmp_path / "answers.parquet"))
    assert "version: 2" in shown("predict", "--model", "cancer", "--number", "2", *files)
    assert len(pd.read_parquet(tmp_path / "answers.parquet")) == 25
    with pytest.raises(CommandError, match="no version 9"):
        shown("predict", "--model", "cancer", "--number", "9", *files)


@pytest.mark.parametrize("command", ["list_models", "create_model", "promote", "rollback", "predict"])
def test_the_tenant_is_never_guessed(command: str) -> None:
    with pytest.raises(CommandError, match="--tenant"):
        call_command(command)
    with pytest.raises(CommandError, match="nowhere"):
        call_command("list_models", "--tenant", "nowhere")


def test_predict_answers_a_file_in_chunks(rows: Path, tmp_path: Path, settings: Any) -> None:
    settings.MAX_PREDICTION_ROWS = 10
    make_champion()
    output = tmp_path / "answers.csv"
    done = run(
        "predict", "--model", "cancer", "--input", str(rows), "--output", str(output), "--key-column", "case"
    )
    assert (done["rows"], done["version"]) == (25, 1)
    answers = pd.read_csv(output)
    assert list(answers["entity_key"]) == [f"case-{n}" for n in range(25)]
    assert set(answers.columns) >= {"prediction_id", "prediction", "p_benign", "p_malignant"}
    assert Prediction.objects.count() == 25


def test_predict_asks_nothing_where_one_row_is_wrong(rows: Path, tmp_path: Path, settings: Any) -> None:
    settings.MAX_PREDICTION_ROWS = 10
    make_champion()
    text = rows.read_text().splitlines()
    text[15] = "round" + text[15][text[15].index(",") :]
    rows.write_text("\n".join(text))
    with pytest.raises(CommandError, match=r'"row": 14,\s+"field": "mean_radius"'):
        run("predict", "--model", "cancer", "--input", str(rows), "--output", str(tmp_path / "a.csv"))
    assert Prediction.objects.count() == 0


def test_predict_without_champion_or_with_a_bad_output_is_refused(rows: Path, tmp_path: Path) -> None:
    make_model()
    with pytest.raises(CommandError, match="no champion"):
        run("predict", "--model", "cancer", "--input", str(rows), "--output", str(tmp_path / "a.csv"))
    with pytest.raises(CommandError, match="no folder"):
        run("predict", "--model", "cancer", "--input", str(rows), "--output", str(tmp_path / "no" / "a.csv"))


def test_predict_writes_the_interval_of_each_number(tmp_path: Path, settings: Any) -> None:
    settings.MAX_PREDICTION_ROWS = 30  # each part of the file has its intervals
    version = make_champion(make_model(data="diabetes"))
    data = dataset_frame(version.dataset)
    rows, output = tmp_path / "rows.parquet", tmp_path / "answers.parquet"
    data.head(200).to_parquet(rows)
    asked = ("predict", "--model", "diabetes", "--input", str(rows), "--output", str(output), "--intervals")
    widths = []
    for coverage in ((), ("--coverage", "0.6")):
        run(*asked, *coverage)
        answers = pd.read_parquet(output)
        assert (answers["interval_low"] <= answers["prediction"]).all()
        held = data["progression"].head(200).between(answers["interval_low"], answers["interval_high"])
        assert held.mean() == pytest.approx(0.6 if coverage else 0.9, abs=0.1)
        widths.append((answers["interval_high"] - answers["interval_low"]).max())
    assert widths[1] < widths[0]
    assert "possible" not in answers


def test_predict_writes_the_classes_that_are_not_ruled_out(rows: Path, tmp_path: Path) -> None:
    make_champion()
    files = ("--model", "cancer", "--input", str(rows), "--output", str(tmp_path / "answers.csv"))
    run("predict", *files, "--intervals", "--coverage", "0.96")
    answers = pd.read_csv(tmp_path / "answers.csv")
    possible = [json.loads(text) for text in answers["possible"]]
    assert [labels[0] for labels in possible] == answers["prediction"].tolist()
    assert {label for labels in possible for label in labels} <= {"benign", "malignant"}
    assert not {"interval_low", "interval_high"} & set(answers)
    run("predict", *files)
    assert "possible" not in pd.read_csv(tmp_path / "answers.csv")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--coverage", "0.9"), "nothing without --intervals"),
        (("--intervals", "--coverage", "1"), "from 0.5 to 0.99"),
        (("--intervals", "--coverage", "0.1"), "from 0.5 to 0.99"),
        (("--intervals", "--coverage", "nan"), "from 0.5 to 0.99"),
        (("--intervals",), "Ask without intervals"),
    ],
)
def test_predict_refuses_a_coverage_that_nobody_can_promise(
    rows: Path, tmp_path: Path, options: tuple[str, ...], sentence: str
) -> None:
    make_champion(conformal=None)
    files = ("--model", "cancer", "--input", str(rows), "--output", str(tmp_path / "answers.csv"))
    with pytest.raises(CommandError, match=sentence):
        run("predict", *files, *options)
    assert not (tmp_path / "answers.csv").exists()
    assert Prediction.objects.count() == 0


def test_predict_with_an_unknown_key_column_is_refused(rows: Path, tmp_path: Path) -> None:
    make_champion()
    with pytest.raises(CommandError, match="no column 'patient'"):
        run(
            "predict", "--model", "cancer", "--input", str(rows), "--output", str(tmp_path / "a.csv"),
            "--key-column", "patient",
        )  # fmt: skip


def test_another_tenants_model_is_unknown(other_tenant: Tenant) -> None:
    make_champion()
    with pytest.raises(CommandError, match="no model 'cancer'"):
        call_command("rollback", "--tenant", "winery", "--model", "cancer")
