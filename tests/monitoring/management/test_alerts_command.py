"""Alerts from the command line."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.services.tenants import add_member
from monitoring.models import Alert
from registry.models import RegisteredModel


def run(*arguments: str) -> Any:
    told = io.StringIO()
    call_command("alerts", "--tenant=clinic", "--json", *arguments, stdout=told)
    return json.loads(told.getvalue())


def test_an_alert_is_listed_cared_for_and_resolved(in_tenant: Tenant, model: RegisteredModel) -> None:
    alert = Alert.objects.create(model=model, severity="info", title="Moved", last_seen_at=timezone.now())
    add_member(email="ann@clinic.example", role="operator", by=SYSTEM)
    of = str(alert.pk)
    assert [one["id"] for one in run("--model=cancer")] == [alert.pk]
    assert run(f"--acknowledge={of}")["state"] == "acknowledged"
    assert run(f"--snooze={of}", "--hours=2", "--reason=known")["snoozed_until"]
    assert run(f"--wake={of}")["snoozed_until"] is None
    assert run(f"--assign={of}", "--owner=ann@clinic.example")["owner"] == "ann@clinic.example"
    assert run(f"--resolve={of}")["state"] == "resolved"
    assert run() == []
    assert [one["state"] for one in run("--all")] == ["resolved"]
    with pytest.raises(CommandError, match="resolved already"):
        run(f"--resolve={of}")
