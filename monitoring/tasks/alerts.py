"""Alerts that grow graver or wake up, and the messages and summaries about them."""

from celery import shared_task
from django.utils import timezone

from mlplatform.tenancy.scope import current_tenant, tenant_transaction
from mlplatform.tenancy.tasks import TenantTask, send_for_tenants
from monitoring.models import Alert
from monitoring.services.deliveries import deliver, due_deliveries, forget_old_deliveries
from monitoring.services.digests import write_digests
from monitoring.services.escalation import escalate_overdue, wake_rested
from monitoring.services.letters import tell_of_alert

LONGEST_COUNTDOWN = 600.0  # seconds


@shared_task(name="monitoring.tell_of_alert", base=TenantTask)
def tell_of(alert_id: int) -> None:
    """Write to the people who look after the alert's model."""
    with tenant_transaction():
        alert = Alert.objects.select_related("model").get(pk=alert_id)
    tell_of_alert(alert=alert)


@shared_task(name="monitoring.tend_alerts")
def tend_alerts() -> int:
    """Have every tenant's alerts escalated and woken, and what waits sent; return how many tenants there are.

    The net under lost messages, too.
    """
    return send_for_tenants(tend_alerts_of)


@shared_task(name="monitoring.tend_alerts_of", base=TenantTask)
def tend_alerts_of() -> None:
    """Escalate and wake one tenant's alerts, and have what waits sent."""
    escalate_overdue()
    wake_rested()
    send_waiting()


@shared_task(name="monitoring.send_digests")
def send_digests() -> int:
    """Have every tenant's summaries written where they are due; return how many tenants there are."""
    return send_for_tenants(send_digests_of)


@shared_task(name="monitoring.send_digests_of", base=TenantTask)
def send_digests_of() -> None:
    """Write one tenant's summaries where they are due, and delete messages that are kept no longer."""
    write_digests()
    forget_old_deliveries()


@shared_task(name="monitoring.deliver_waiting", base=TenantTask)
def deliver_waiting() -> None:
    """Have each message of the tenant sent whose time has come."""
    send_waiting()


@shared_task(name="monitoring.deliver", base=TenantTask)
def deliver_one(delivery_id: int) -> None:
    """Send one message; where it does not arrive, once more after a pause.

    A long pause is left to the sweep of every minute: a worker would hold the message all the while.
    """
    delivery = deliver(pk=delivery_id)
    if delivery is None or delivery.next_try_at is None:
        return
    pause = max((delivery.next_try_at - timezone.now()).total_seconds(), 0.0)
    if pause <= LONGEST_COUNTDOWN:
        kwargs = {"tenant_id": delivery.tenant_id}
        deliver_one.apply_async(args=(delivery_id,), kwargs=kwargs, countdown=pause)


def send_waiting() -> None:
    """Send each message that is due in a task of its own, so that a slow receiver delays no other."""
    tenant_id = current_tenant().pk
    for delivery_id in due_deliveries():
        deliver_one.delay(delivery_id, tenant_id=tenant_id)
