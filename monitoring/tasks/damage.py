"""Files of deployed versions, and the letters about what is wrong with them."""

from celery import shared_task

from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.tasks import TenantTask, send_for_tenants
from monitoring.services.damage import deployed_versions, inspect_version, versions_in_doubt
from monitoring.services.decision_letters import untold_decisions
from monitoring.services.letters import untold_alerts
from monitoring.tasks.alerts import tell_of
from monitoring.tasks.retraining import tell_of_decided
from registry.models import ModelVersion


@shared_task(name="monitoring.inspect_deployed")
def inspect_deployed() -> int:
    """Have the files of every deployed version of every tenant checked; return how many versions."""
    return send_for_tenants(inspect_files, deployed_versions)


@shared_task(name="monitoring.look_again")
def look_again() -> int:
    """Have damaged files looked at once more, and letters sent that are due; return how many of both."""
    looked = send_for_tenants(inspect_files, versions_in_doubt)
    told = send_for_tenants(tell_of, untold_alerts)
    return looked + told + send_for_tenants(tell_of_decided, untold_decisions)


@shared_task(name="monitoring.inspect_version", base=TenantTask)
def inspect_files(version_id: int) -> None:
    """Check the version's files; raise or resolve its alerts, and have people told of new ones."""
    with tenant_transaction():
        version = ModelVersion.objects.select_related("model").get(pk=version_id)
    for alert in inspect_version(version=version):
        tell_of.delay(alert.pk, tenant_id=version.tenant_id)
