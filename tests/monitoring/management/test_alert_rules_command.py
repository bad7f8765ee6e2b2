"""Alert rules from the command line."""

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from mlplatform.tenancy.models import AuditEvent
from monitoring.models import AlertRule
from registry.models import RegisteredModel


@pytest.fixture
def run(model: RegisteredModel, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the command and return what it says."""

    def running(*arguments: str) -> Any:
        call_command("alert_rules", *arguments, tenant="clinic", json=True)
        return json.loads(capsys.readouterr().out)

    return running


def test_a_rule_lives_its_whole_life(run: Any) -> None:
    limits = ["--set", "threshold=0.02", "--set", "severity=critical"]
    made = run("--create", "error_rate", "--model", "cancer", *limits)
    assert (made["alerts"], made["severity"], made["enabled"]) == (
        "above 0.02, beyond chance",
        "critical",
        True,
    )
    key = str(made["id"])
    assert run("--update", key, "--set", "window_hours=24")["window_hours"] == 24
    assert run("--disable", key)["enabled"] is False
    assert run("--enable", key)["enabled"] is True
    assert [one["id"] for one in run("--model", "cancer")] == [made["id"]]
    assert run("--show", key)["threshold"] == 0.02
    assert run("--delete", key) == {"deleted": made["id"]}
    assert not AlertRule.objects.exists()
    told = AuditEvent.objects.filter(action__startswith="alert_rule.").values_list("action", flat=True)
    assert sorted(told) == [
        "alert_rule.created", "alert_rule.deleted",
        *["alert_rule.updated"] * 3,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--create", "error_rate"], "--model NAME"),
        (["--create", "error_rate", "--model", "cancer"], "threshold=VALUE"),
        (["--create", "error_rate", "--model", "none", "--set", "threshold=0.1"], "none"),
        (["--create", "error_rate", "--model", "cancer", "--set", "threshold=7"], "share from 0 to 1"),
        (["--create", "error_rate", "--model", "cancer", "--set", "colour=red"], "is no change"),
        (["--create", "error_rate", "--model", "cancer", "--set", "threshold=much"], "much"),
        (["--show", "99"], "no alert rule 99"),
        (["--update", "99", "--set", "threshold=1"], "no alert rule 99"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(run: Any, arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run(*arguments)
    assert not AlertRule.objects.exists()
