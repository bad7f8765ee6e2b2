"""What people do about an alert beside acknowledging and resolving it: put it to sleep, give it an owner."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import Membership
from mlplatform.tenancy.permissions import Capability, can
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from monitoring.errors import AlertClosed, InvalidOwner, InvalidSnooze
from monitoring.models import Alert
from monitoring.models.alert import UNRESOLVED

LONGEST_SNOOZE = timedelta(days=90)


def snooze(*, alert: Alert, until: datetime, by: Actor, reason: str = "") -> Alert:
    """Tell nobody of the alert until then; checks go on, and resolve it where its condition is over.

    Raises InvalidSnooze for a moment that has passed or is too far, AlertClosed for a resolved alert.
    """
    now = timezone.now()
    if not now < until <= now + LONGEST_SNOOZE:
        words = f"Must lie ahead, within {LONGEST_SNOOZE.days} days."
        raise InvalidSnooze("The alert cannot sleep until then.", fields={"until": [words]})
    if len(reason) > 500:
        raise InvalidSnooze("The reason is too long.", fields={"reason": ["At most 500 characters."]})
    changes = {"snoozed_until": until, "snoozed_by": str(by)[:200], "snooze_reason": reason}
    return _change(alert, changes, by=by, action="alert.snoozed", reason=reason)


def wake(*, alert: Alert, by: Actor) -> Alert:
    """End the alert's sleep now; raises AlertClosed for one that is resolved or does not sleep."""
    if alert.snoozed_until is None:
        raise AlertClosed("The alert is not snoozed.")
    changes = {"snoozed_until": None, "snoozed_by": "", "snooze_reason": ""}
    return _change(alert, changes, by=by, action="alert.woken")


def assign(*, alert: Alert, owner: Membership | None, by: Actor) -> Alert:
    """Say who looks after the alert, None for nobody; raises InvalidOwner or AlertClosed."""
    if owner is not None and not can(owner.user, Capability.VIEW, alert):
        raise InvalidOwner(
            f"{owner.user} may not see this model, so cannot look after its alerts.",
            fields={"owner": ["May not see the model."]},
        )
    return _change(alert, {"owner_id": owner.pk if owner else None}, by=by, action="alert.assigned")


def find_owner(email: str) -> Membership | None:
    """Return the tenant's member of this address, None for an empty one; raises InvalidOwner."""
    if not email.strip():
        return None
    member = Membership.objects.select_related("user").filter(user__email__iexact=email.strip()).first()
    if member is None:
        raise InvalidOwner("No member has this address.", fields={"owner": ["No member has this address."]})
    return member


def possible_owners(alert: Alert) -> list[Membership]:
    """Return the tenant's members who may see the alert."""
    members = Membership.objects.select_related("user").filter(user__is_active=True)
    return [one for one in members if can(one.user, Capability.VIEW, alert)]


def _change(alert: Alert, changes: Mapping[str, Any], *, by: Actor, action: str, **details: str) -> Alert:
    before = {name: getattr(alert, name) for name in changes}
    with tenant_transaction():
        changed = Alert.objects.filter(pk=alert.pk, state__in=UNRESOLVED).update(**changes)
        alert.refresh_from_db()
        if not changed:
            raise AlertClosed("The alert is resolved already.")
        record(by=by, action=action, target=alert, before=before, after=changes, **details)
    return alert
