"""Labelling and quarantines from the command line."""

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from feedback.models import Outcome, Quarantine
from mlplatform.tenancy.models import AuditEvent, Tenant
from registry.models import Prediction


def run(command: str, *arguments: str, capsys: pytest.CaptureFixture[str]) -> Any:
    call_command(command, "--tenant=clinic", "--json", *arguments)
    return json.loads(capsys.readouterr().out)


def test_the_queue_is_listed_and_a_row_labelled(
    predictions: list[Prediction], capsys: pytest.CaptureFixture[str]
) -> None:
    found = run("labelling", "--model=cancer", "--limit=3", capsys=capsys)
    assert len(found) == 3
    assert found[0]["choices"] == "benign, malignant"
    key = found[0]["prediction"]
    told = run("labelling", "--model=cancer", f"--label={key}", "--value=benign", capsys=capsys)
    assert told == {"prediction": key, "state": "settled"}
    assert Outcome.objects.get().received_from.startswith("command ")
    assert run("labelling", "--model=cancer", "--agreement", capsys=capsys)["overall"]["rows"] == 0
    with pytest.raises(CommandError, match="--value"):
        call_command("labelling", "--tenant=clinic", "--model=cancer", f"--label={key}")


def test_a_quarantine_is_listed_shown_and_decided(
    predictions: list[Prediction], capsys: pytest.CaptureFixture[str]
) -> None:
    case = Quarantine.objects.create(
        model=predictions[0].model,
        sender="api key x",
        suspicion="share",
        reason="Many.",
        since=timezone.now(),
    )
    assert [one["id"] for one in run("quarantines", capsys=capsys)] == [case.pk]
    assert run("quarantines", f"--show={case.pk}", capsys=capsys)["reason"] == "Many."
    with pytest.raises(CommandError, match="Say why"):
        call_command("quarantines", "--tenant=clinic", f"--reject={case.pk}")
    told = run("quarantines", f"--reject={case.pk}", "--reason=stolen", capsys=capsys)
    assert (told["state"], told["decision"]) == ("rejected", "stolen")
    assert run("quarantines", capsys=capsys) == []
    assert len(run("quarantines", "--all", capsys=capsys)) == 1
    assert AuditEvent.objects.get(action="quarantine.rejected").actor_kind == "command"


def test_the_settings_are_shown_and_changed(
    in_tenant: Tenant, predictions: list[Prediction], capsys: pytest.CaptureFixture[str]
) -> None:
    told = run("feedback_settings", "--model=cancer", "--no-guard", "--least-labels=50", capsys=capsys)
    assert (told["guard"], told["least_labels"], told["most_share"]) == (False, 50, 0.5)
    told = run("feedback_settings", "--model=cancer", "--trusted=ann@clinic.example", capsys=capsys)
    assert (told["trusted"], told["guard"]) == (["ann@clinic.example"], False)
