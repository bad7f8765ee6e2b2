"""Past predictions with outcomes: a baseline for a new model, each line once."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from feedback.errors import InvalidPast, InvalidPastColumns, UnreadableFeedbackFile
from feedback.models import HistoryImport, Outcome
from feedback.services import past
from feedback.services.delays import label_delay
from feedback.services.past import PastResult, import_past
from feedback.services.past_files import PastForm
from mlplatform.errors import PlatformError
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent
from monitoring.models import Rollup
from monitoring.services.periods import Period
from monitoring.services.rollups import RolledUp, roll_up
from monitoring.services.service_figures import service_report
from monitoring.services.usage import usage_of
from registry.models import ModelVersion, Prediction
from tests.factories import rows_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def frame_of(champion: ModelVersion, count: int = 6, **columns: Any) -> pd.DataFrame:
    """Return so many past predictions, one every ten minutes from noon on; the last one was wrong."""
    right = ["benign", "malignant"] * (count // 2)
    moments = pd.date_range(NOON, periods=count, freq="10min")
    told: dict[str, Any] = {
        "predicted_at": moments.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "prediction": right,
        "probability": 0.9,
        "outcome": [*right[:-1], "benign"],
        "entity_key": [f"patient-{number}" for number in range(count)],
    }
    return pd.DataFrame(rows_of(champion, count)).assign(**told).assign(**columns)


def as_csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


def as_json_lines(frame: pd.DataFrame) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in frame.to_dict("records")).encode()


def as_parquet(frame: pd.DataFrame) -> bytes:
    return bytes(frame.to_parquet(index=False))


FORMS: dict[PastForm, Callable[[pd.DataFrame], bytes]] = {
    PastForm.CSV: as_csv,
    PastForm.JSON_LINES: as_json_lines,
    PastForm.PARQUET: as_parquet,
}


def load(version: ModelVersion, body: bytes, name: str = "history.csv", **asked: Any) -> PastResult:
    return import_past(model=version.model, file=io.BytesIO(body), name=name, by=SYSTEM, **asked)


@pytest.mark.parametrize("form", FORMS)
def test_lines_become_marked_predictions_with_outcomes(form: PastForm, champion: ModelVersion) -> None:
    result = load(champion, FORMS[form](frame_of(champion)), f"history.{form.value}")
    assert (result.lines, result.predictions, result.outcomes, result.refused) == (6, 6, 6, 0)
    first = Prediction.objects.order_by("created_at")[0]
    assert (first.engine, first.label, first.created_at) == ("imported", "benign", NOON)
    assert first.probabilities == {"benign": 0.9, "malignant": pytest.approx(0.1)}
    assert first.entity_key.startswith("psn_")
    assert first.features == rows_of(champion)[0]
    assert first.outcomes.get().source == "history"
    assert label_delay(champion.model).count == 0


def test_the_same_lines_are_the_same_in_every_form_and_come_in_once(champion: ModelVersion) -> None:
    frame = frame_of(champion)
    load(champion, as_csv(frame))
    again = load(champion, as_json_lines(frame), "history.jsonl")
    assert (again.predictions, again.outcomes, again.repeated) == (0, 0, 6)
    longer = load(champion, as_csv(frame_of(champion, 8)))
    assert (longer.predictions, Prediction.objects.count()) == (2, 8)


def test_the_same_file_adds_nothing_even_after_its_rows_are_gone(champion: ModelVersion) -> None:
    body = as_csv(frame_of(champion))
    load(champion, body)
    Prediction.objects.all().delete()
    again = load(champion, body)
    assert (again.known_file, again.predictions, again.repeated) == (True, 0, 6)
    assert not Prediction.objects.exists()
    assert HistoryImport.objects.count() == 1


def test_equal_lines_of_a_file_are_two_predictions(champion: ModelVersion) -> None:
    frame = pd.concat([frame_of(champion, 2)] * 2)
    assert load(champion, as_csv(frame)).predictions == 4
    assert load(champion, as_csv(frame) + b"\n").predictions == 0


def test_they_count_in_their_own_hours_exactly_once_and_not_as_traffic(champion: ModelVersion) -> None:
    load(champion, as_csv(frame_of(champion)))
    assert roll_up() == RolledUp(6, 6)
    load(champion, as_csv(frame_of(champion, 6)) + b"\n")
    assert roll_up() == RolledUp(0, 0)
    hour = Rollup.objects.get(slice_column="")
    assert (hour.begins, hour.predictions, hour.labelled) == (NOON, 6, 6)
    assert hour.quality
    period = Period(NOON, NOON.replace(hour=15))
    assert usage_of(period=period) == []
    served = service_report(model=champion.model, period=period)
    assert (served.predictions, served.latency.p50_ms, served.steps) == (0, None, [])


def test_a_corrected_outcome_of_a_known_line_is_a_correction(champion: ModelVersion) -> None:
    load(champion, as_csv(frame_of(champion, 2)))
    again = load(champion, as_csv(frame_of(champion, 2, outcome="malignant")))
    assert (again.predictions, again.outcomes) == (0, 2)
    assert Outcome.objects.filter(current=False).count() == 2


def test_columns_may_have_other_names_and_lines_their_own_version(champion: ModelVersion) -> None:
    frame = frame_of(champion, 2, version=1).rename(columns={"predicted_at": "time", "prediction": "answer"})
    named = {"predicted_at": "time", "prediction": "answer"}
    assert load(champion, as_csv(frame), columns=named).predictions == 2
    with pytest.raises(InvalidPastColumns):
        load(champion, as_csv(frame), columns={"when": "time"})


WRONG = {
    "no time": ({"predicted_at": "yesterday"}, "invalid_time"),
    "a time to come": ({"predicted_at": "2999-01-01T00:00:00Z"}, "invalid_time"),
    "no answer": ({"prediction": ""}, "missing"),
    "no class": ({"prediction": "cured"}, "invalid_outcome"),
    "no class as outcome": ({"outcome": "cured"}, "invalid_outcome"),
    "no probability": ({"probability": 1.5}, "invalid_probability"),
    "no such version": ({"version": 9}, "unknown_version"),
    "text for a number": ({"mean_radius": "wide"}, "wrong_type"),
    "nothing for a number": ({"mean_radius": ""}, "null"),
}


@pytest.mark.parametrize(("change", "code"), WRONG.values(), ids=WRONG)
def test_a_bad_line_is_told_by_its_number(change: dict[str, Any], code: str, champion: ModelVersion) -> None:
    frame = frame_of(champion, 4).astype(object)
    for name, value in change.items():
        frame.loc[2, name] = value
    with pytest.raises(InvalidPast) as caught:
        load(champion, as_csv(frame))
    assert [(one["line"], one["code"]) for one in caught.value.errors] == [(3, code)]
    assert not Prediction.objects.exists()
    result = load(champion, as_csv(frame), partial=True)
    assert (result.predictions, result.refused) == (3, 1)


def test_each_part_of_a_partial_import_leaves_its_entry_with_it(
    champion: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "PART", 4)
    load(champion, as_csv(frame_of(champion, 6)), partial=True)
    added = AuditEvent.objects.filter(action="predictions.added").order_by("pk")
    assert [one.details["count"] for one in added] == [4, 2]
    assert AuditEvent.objects.get(action="predictions.imported").details["predictions"] == 6


@pytest.mark.parametrize("line", ["{", "[1]", '{"predicted_at": NaN}'])
def test_a_line_that_is_no_object_is_told(line: str, champion: ModelVersion) -> None:
    body = as_json_lines(frame_of(champion, 2)) + line.encode()
    result = load(champion, body, "history.jsonl", partial=True)
    assert (result.predictions, result.errors[0]["line"], result.errors[0]["code"]) == (2, 3, "unreadable")


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"a\0b", b"a,a\n1,2\n", b"PAR1 nonsense PAR1", b"x\n"])
def test_what_is_no_table_is_refused(body: bytes, champion: ModelVersion) -> None:
    with pytest.raises(PlatformError):
        load(champion, body)
    assert not HistoryImport.objects.exists()


def test_too_many_lines_are_refused(champion: ModelVersion) -> None:
    with pytest.raises(UnreadableFeedbackFile, match="more than 5"):
        load(champion, as_csv(frame_of(champion)), most=5)


def test_a_preview_stores_nothing(champion: ModelVersion) -> None:
    frame = frame_of(champion, 4).astype(object)
    frame.loc[1, "prediction"] = "cured"
    result = load(champion, as_csv(frame), preview=True)
    assert (result.predictions, result.outcomes, result.refused, result.first_at) == (3, 3, 1, NOON)
    assert not Prediction.objects.exists()
    assert not HistoryImport.objects.exists()
    assert not AuditEvent.objects.filter(action="predictions.imported").exists()
