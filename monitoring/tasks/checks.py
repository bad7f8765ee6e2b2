"""Checks of deployed models, and what they call for."""

from celery import shared_task

from mlplatform.tenancy.actors import SYSTEM, Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.tasks import TenantTask, send_for_tenants
from monitoring.models import DriftReport
from monitoring.services.checks import CheckResult, run_checks
from monitoring.services.together import compare_together, is_due
from monitoring.tasks.retraining import submit_retraining
from registry.models import Alias, RegisteredModel
from registry.models.deployment import CHAMPION


@shared_task(name="monitoring.check_all_models")
def check_all_models() -> int:
    """Have every deployed model of every tenant checked; return how many."""
    return send_for_tenants(
        check_model, lambda: Alias.objects.filter(name=CHAMPION).values_list("model_id", flat=True)
    )


@shared_task(name="monitoring.check_model", base=TenantTask)
def check_model(model_id: int) -> None:
    """Check one model, and retrain it where its policy says so."""
    with tenant_transaction():
        model = RegisteredModel.objects.get(pk=model_id)
    submit_checks(model=model, by=SYSTEM)


@shared_task(name="monitoring.compare_together", base=TenantTask)
def compare_rows(report_id: int) -> None:
    """Compare rows of the report's window with training rows, all columns together."""
    with tenant_transaction():
        report = DriftReport.objects.select_related("version__model", "version__dataset").get(pk=report_id)
    compare_together(report=report)


def submit_checks(*, model: RegisteredModel, by: Actor) -> CheckResult:
    """Run the model's checks and submit the retraining they call for; raises what ``run_checks`` does."""
    result = run_checks(model=model, by=by)
    if result.drift is not None and is_due(result.drift):
        args, kwargs = (result.drift.pk,), {"tenant_id": model.tenant_id}
        compare_rows.apply_async_on_commit(args=args, kwargs=kwargs)
    if result.decision is not None:
        result.decision = submit_retraining(decision=result.decision)
    return result
