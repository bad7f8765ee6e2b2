"""The command that records outcomes from a file."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from feedback.models import Outcome
from registry.models import Prediction


def test_a_file_is_recorded(
    predictions: list[Prediction], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "outcomes.csv"
    file.write_text(f"prediction_id,outcome\n{predictions[0].pk},benign\n")
    call_command("import_feedback", str(file), tenant="clinic", json=True)
    assert json.loads(capsys.readouterr().out)["accepted"] == 1
    assert Outcome.objects.get().received_from.startswith("command")


def test_wrong_rows_end_the_command_with_the_reasons(predictions: list[Prediction], tmp_path: Path) -> None:
    file = tmp_path / "outcomes.csv"
    file.write_text(f"prediction_id,outcome\n{predictions[0].pk},cured\n")
    with pytest.raises(CommandError, match="cured"):
        call_command("import_feedback", str(file), tenant="clinic")
    call_command("import_feedback", str(file), "--partial", tenant="clinic")
    assert not Outcome.objects.exists()


def test_a_missing_file_is_named(predictions: list[Prediction], tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"none\.csv cannot be opened"):
        call_command("import_feedback", str(tmp_path / "none.csv"), tenant="clinic")
