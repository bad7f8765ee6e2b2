"""The command that shows and changes by which rule drift is judged."""

import json

import pytest
from django.core.management import CommandError, call_command

from registry.models import RegisteredModel


def test_settings_are_shown_changed_and_refused(
    model: RegisteredModel, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("drift_settings", "--model", "cancer", tenant="clinic", json=True)
    assert json.loads(capsys.readouterr().out)["false_alarms_a_month"] == 1.0
    given = ["--model", "cancer", "--rule", "classic", "--psi-limit", "0.25"]
    call_command("drift_settings", *given, tenant="clinic", json=True)
    shown = json.loads(capsys.readouterr().out)
    assert (shown["rule"], shown["psi_limit"], shown["drift_share"]) == ("classic", 0.25, 0.3)
    with pytest.raises(CommandError, match="drift_share"):
        call_command("drift_settings", "--model", "cancer", "--drift-share", "2", tenant="clinic")
