"""Letters about alerts that cannot wait until somebody looks at the console."""

from django.utils import timezone

from mlplatform.tenancy.permissions import Capability
from mlplatform.tenancy.scope import current_tenant, tenant_transaction
from monitoring.models import Alert, Delivery
from monitoring.models.alert import FILE_CAUSES, UNRESOLVED
from monitoring.models.channel import ChannelKind
from monitoring.models.delivery import DeliveryState, EventKind
from registry.services.letters import members_who_may, write_to


def untold_alerts() -> list[int]:
    """Return the keys of unresolved alerts about files of which nobody was told."""
    with tenant_transaction():
        rows = Alert.objects.filter(state__in=UNRESOLVED, told_at=None, cause__in=FILE_CAUSES)
        return list(rows.order_by("pk").values_list("pk", flat=True))


def tell_of_alert(*, alert: Alert) -> int:
    """Write once to each member who watches over the model; return to how many.

    Where one of the tenant's channels writes a letter about the alert, that one is enough. A later call tries
    again where the mail server takes no letter.
    """
    with tenant_transaction():
        mine = Alert.objects.filter(pk=alert.pk, told_at=None, state__in=UNRESOLVED)
        if not mine.update(told_at=timezone.now()):
            return 0
        if _is_written_anyway(alert):
            return 0
    lines = [
        alert.title + ".",
        alert.message,
        f"Console: Alerts. By program: GET /api/v1/alerts/{alert.pk}",
        f"You get this letter as one who looks after models of {current_tenant().name}.",
    ]
    people = members_who_may(Capability.MONITOR, alert)
    told, all_taken = write_to(people, alert.title, "\n\n".join(lines) + "\n")
    if not told and not all_taken:
        with tenant_transaction():
            Alert.objects.filter(pk=alert.pk).update(told_at=None)
    return told


def _is_written_anyway(alert: Alert) -> bool:
    letters = Delivery.objects.filter(channel__kind=ChannelKind.EMAIL, event=f"{EventKind.RAISED}:{alert.pk}")
    return letters.exclude(state=DeliveryState.DEAD).exists()
