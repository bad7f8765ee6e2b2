"""The command that imports past predictions."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from registry.models import ModelVersion, Prediction
from tests.console import past_of
from tests.factories import rows_of


def test_a_file_is_imported_once(
    champion: ModelVersion, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "history.csv"
    file.write_bytes(past_of(rows_of(champion, 2)).getvalue().replace(b"predicted_at", b"time"))
    asked = ("import_predictions", "cancer", str(file), "--column=predicted_at=time")
    call_command(*asked, "--preview", tenant="clinic", json=True)
    assert json.loads(capsys.readouterr().out)["predictions"] == 2
    for added in (2, 0):
        call_command(*asked, tenant="clinic", json=True)
        assert json.loads(capsys.readouterr().out)["predictions"] == added
    assert Prediction.objects.count() == 2


def test_bad_lines_and_missing_files_are_named(champion: ModelVersion, tmp_path: Path) -> None:
    file = tmp_path / "history.csv"
    file.write_bytes(past_of(rows_of(champion, 2)).getvalue().replace(b"2026-", b"2999-"))
    with pytest.raises(CommandError, match="in the future"):
        call_command("import_predictions", "cancer", str(file), tenant="clinic")
    with pytest.raises(CommandError, match="cannot be opened"):
        call_command("import_predictions", "cancer", str(tmp_path / "none.csv"), tenant="clinic")
