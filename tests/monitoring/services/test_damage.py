"""Alerts about damaged files: one for each file, by mail too, resolved by the file itself."""

from datetime import timedelta
from pathlib import Path
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from mlplatform.celery import app
from mlplatform.tenancy.actors import SYSTEM, Actor, ActorKind
from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.tenants import add_member
from monitoring.models import Alert
from monitoring.models.alert import AlertState, Severity
from monitoring.services.alerts import close_outdated, resolve
from monitoring.services.checks import run_checks
from monitoring.services.damage import inspect_version
from monitoring.services.letters import tell_of_alert
from monitoring.tasks import inspect_deployed, look_again
from registry.models import ModelVersion
from registry.services import letters
from registry.services.loading import CACHE
from registry.services.promotion import promote
from registry.services.serving import predict
from registry.services.twins import load_twin
from tests.conftest import ConsoleFor
from tests.factories import make_champion, make_version, rows_of
from tests.registry.services.test_twins import fitted

pytestmark = pytest.mark.usefixtures("in_tenant", "worker_at_once")
MEMBERS = {"operator@clinic.example": "operator", "viewer@clinic.example": "viewer"}


@pytest.fixture
def champion(in_tenant: Tenant) -> ModelVersion:
    pipeline, twin = fitted("logistic_regression")
    return make_champion(pipeline=pipeline, algorithm="logistic_regression", twin=twin)


def file_of(version: ModelVersion, kind: str = "artifact") -> Path:
    return Path(default_storage.path(getattr(version, f"{kind}_file")))


def harm(version: ModelVersion, kind: str = "artifact") -> bytes:
    file = file_of(version, kind)
    whole = file.read_bytes()
    file.write_bytes(whole[:-9])
    CACHE.clear()
    return whole


@pytest.mark.parametrize(("kind", "severity"), [("artifact", Severity.CRITICAL), ("twin", Severity.WARNING)])
def test_a_damaged_file_raises_one_alert_which_its_restoration_resolves(
    kind: str, severity: str, champion: ModelVersion
) -> None:
    whole = harm(champion, kind)
    assert [len(inspect_version(version=champion)) for _ in range(3)] == [1, 0, 0]
    alert = Alert.objects.get()
    assert (alert.cause, alert.severity, alert.state, alert.version) == (
        kind,
        severity,
        AlertState.OPEN,
        champion,
    )
    assert "backup" in alert.message
    assert AuditEvent.objects.filter(action="alert.raised").count() == 1
    file_of(champion, kind).write_bytes(whole)
    assert inspect_version(version=champion) == []
    alert.refresh_from_db()
    assert alert.state == AlertState.RESOLVED
    assert "whole again" in AuditEvent.objects.get(action="alert.resolved").details["reason"]
    harm(champion, kind)
    assert len(inspect_version(version=champion)) == 1


def test_a_refused_request_leads_to_the_alert_and_to_letters(
    champion: ModelVersion, in_tenant: Tenant, celery_eager_sending: None
) -> None:
    for email, role in MEMBERS.items():
        add_member(email=email, role=role, by=SYSTEM)
    harm(champion, "twin")
    for _ in range(3):
        predict(model=champion.model, rows=rows_of(champion), by=SYSTEM)
    alert = Alert.objects.get()
    assert alert.cause == "twin"
    assert [letter.to for letter in mail.outbox] == [["operator@clinic.example"]]
    assert str(champion) in mail.outbox[0].subject
    assert alert.told_at is not None
    assert tell_of_alert(alert=alert) == 0
    assert load_twin(champion) is None


@pytest.fixture
def celery_eager_sending(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a task that is sent by its name where it is sent, as the worker would."""

    def send_task(name: str, args: Any = (), kwargs: Any = None, **options: Any) -> None:
        app.tasks[name].apply(args=args, kwargs=kwargs, throw=True)

    monkeypatch.setattr(app, "send_task", send_task)


def test_a_mail_server_that_is_away_is_tried_again(
    champion: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_member(email="operator@clinic.example", role="operator", by=SYSTEM)
    harm(champion)
    [alert] = inspect_version(version=champion)

    def away(*args: Any, **kwargs: Any) -> int:
        raise SMTPServerDisconnected("gone")

    with monkeypatch.context() as broken:
        broken.setattr(letters, "send_mail", away)
        assert tell_of_alert(alert=alert) == 0
    assert look_again() == 2  # the file, and the letter
    assert len(mail.outbox) == 1


def test_the_hourly_look_finds_what_no_process_reads(champion: ModelVersion) -> None:
    file_of(champion).unlink()  # every process holds it in memory
    assert inspect_deployed() == 1
    assert Alert.objects.get().cause == "artifact"


def test_checks_and_promotions_leave_such_alerts_alone(champion: ModelVersion) -> None:
    harm(champion)
    inspect_version(version=champion)
    run_checks(model=champion.model, by=SYSTEM)
    other = make_version(champion.model, dataset=champion.dataset)
    promote(model=champion.model, version=other, by=SYSTEM, reason="x", override=True)
    close_outdated(model=champion.model, champion=other, by=SYSTEM)
    assert Alert.objects.get(cause="artifact").state == AlertState.OPEN


def test_what_a_person_resolved_stays_silent_for_an_hour(champion: ModelVersion) -> None:
    harm(champion)
    [alert] = inspect_version(version=champion)
    resolve(alert=alert, by=Actor(ActorKind.USER, "ann@clinic.example"), reason="I know")
    assert inspect_version(version=champion) == []
    Alert.objects.update(resolved_at=timezone.now() - timedelta(hours=2))
    assert len(inspect_version(version=champion)) == 1


def test_an_archived_version_has_no_file_to_be_damaged(champion: ModelVersion) -> None:
    harm(champion)
    inspect_version(version=champion)
    ModelVersion.objects.filter(pk=champion.pk).update(artifact_file="")
    champion.refresh_from_db()
    inspect_version(version=champion)
    assert Alert.objects.get().state == AlertState.RESOLVED


def test_the_console_says_what_happened(
    champion: ModelVersion, in_tenant: Tenant, console_for: ConsoleFor
) -> None:
    harm(champion)
    inspect_version(version=champion)
    console: Client = console_for(in_tenant, "operator")
    with tenant_scope(in_tenant):
        page = console.get(f"/admin/monitoring/alert/{Alert.objects.get().pk}/change/").content.decode()
    assert "is damaged or gone" in page
    assert "A version&#x27;s file is damaged or gone" in page or "file is damaged" in page
