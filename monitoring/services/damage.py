"""Alerts about stored files that are not what was stored: raised, kept as one, and resolved by the files.

Whoever is told of a refused file looks at it himself: an alert says how things are, not what a message said.
"""

from datetime import timedelta

from django.utils import timezone

from mlplatform.tenancy.actors import SYSTEM, Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import fields_of, record
from monitoring.models import Alert
from monitoring.models.alert import FILE_CAUSES, UNRESOLVED, AlertCause, Severity
from monitoring.models.delivery import EventKind
from monitoring.services.alerts import close
from monitoring.services.outbox import announce
from registry.errors import ArtifactCorrupt
from registry.models import Alias, ModelVersion, RegisteredModel
from registry.services.loading import verified_bytes

# A person who resolves the alert of a file that is still damaged hears of it again after this time.
SILENT = timedelta(hours=1)
CONSEQUENCES = {
    AlertCause.ARTIFACT: "It is not read. Processes that hold the version in memory go on with it; in others "
    "the champion before it answers where it takes the same inputs, else requests are refused (503).",
    AlertCause.TWIN: "It is not read. The original answers all requests, more slowly.",
}
CURES = {
    AlertCause.ARTIFACT: "Restore the file from a backup, or roll back and train again; find out who did it.",
    AlertCause.TWIN: "Restore the file from a backup, or make the twin anew on the version's page.",
}
SEVERITIES = {AlertCause.ARTIFACT: Severity.CRITICAL, AlertCause.TWIN: Severity.WARNING}


def inspect_version(*, version: ModelVersion, by: Actor = SYSTEM) -> list[Alert]:
    """Check hash and signature of the version's files as they are now; return the alerts that are new.

    A damaged file has one unresolved alert, whoever and however often asks; it is resolved once the file is
    whole again, or is kept no more.
    """
    found = {cause: _damage(version, cause) for cause in FILE_CAUSES}
    raised = []
    with tenant_transaction():
        # Of two inspections one raises.
        RegisteredModel.objects.select_for_update(no_key=True).get(pk=version.model_id)
        for cause, damage in found.items():
            standing = Alert.objects.filter(version=version, cause=cause, state__in=UNRESOLVED).first()
            if not damage:
                if standing is not None:
                    close(standing, "The file is whole again, or is kept no more.", by=by)
                    announce(EventKind.RESOLVED, [standing])
            elif standing is not None:
                Alert.objects.filter(pk=standing.pk).update(last_seen_at=timezone.now())
            elif not _is_silent(version, cause):
                raised.append(_raise(version, cause, damage, by))
        announce(EventKind.RAISED, raised)
    return raised


def deployed_versions() -> list[int]:
    """Return the keys of the tenant's versions to which an alias points."""
    with tenant_transaction():
        return sorted(set(Alias.objects.order_by().values_list("version_id", flat=True)))


def versions_in_doubt() -> list[int]:
    """Return the keys of the tenant's versions with an unresolved alert about a file."""
    with tenant_transaction():
        alerts = Alert.objects.filter(state__in=UNRESOLVED, cause__in=FILE_CAUSES)
        return sorted(set(alerts.order_by().values_list("version_id", flat=True)))


def _damage(version: ModelVersion, cause: AlertCause) -> str:
    """Say what is wrong with the file; nothing where it is whole, or there is none."""
    if not getattr(version, f"{cause}_file"):
        return ""
    try:
        verified_bytes(version, cause)
    except ArtifactCorrupt as error:
        return error.detail
    return ""


def _is_silent(version: ModelVersion, cause: AlertCause) -> bool:
    by_people = Alert.objects.filter(version=version, cause=cause).exclude(resolved_by=str(SYSTEM))
    return by_people.filter(resolved_at__gt=timezone.now() - SILENT).exists()


def _raise(version: ModelVersion, cause: AlertCause, damage: str, by: Actor) -> Alert:
    what = "file" if cause == AlertCause.ARTIFACT else "twin"
    alert = Alert.objects.create(
        model_id=version.model_id,
        version=version,
        cause=cause,
        severity=SEVERITIES[cause],
        title=f"The {what} of {version} is damaged or gone"[:200],
        message=f"{damage} {CONSEQUENCES[cause]} {CURES[cause]}",
        evidence={
            "file": getattr(version, f"{cause}_file"),
            "expected_sha256": getattr(version, f"{cause}_hash"),
        },
        last_seen_at=timezone.now(),
    )
    record(by=by, action="alert.raised", target=alert, after=fields_of(alert, "created_at"))
    return alert
