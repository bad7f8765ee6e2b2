"""The log of predictions: its sums by hour, what errors they let expect, and its personal columns."""

from celery import shared_task

from mlplatform.tenancy.actors import Actor, ActorKind
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.tasks import TenantTask, send_for_tenants
from monitoring.services.log_treatment import treat_log
from monitoring.services.losses import estimate_losses
from monitoring.services.rollups import roll_up
from registry.models import Alias, RegisteredModel
from registry.models.deployment import CHAMPION
from registry.models.registered_model import ProblemKind


@shared_task(name="monitoring.roll_up_all")
def roll_up_all() -> int:
    """Have every tenant's new predictions and outcomes counted; return how many tenants there are."""
    return send_for_tenants(roll_up_tenant)


@shared_task(name="monitoring.roll_up", base=TenantTask)
def roll_up_tenant() -> None:
    """Count what is new of one tenant."""
    roll_up()


@shared_task(name="monitoring.estimate_all_losses")
def estimate_all_losses() -> int:
    """Have what errors are to be expected of every regression estimated; return how many models."""
    deployed = {"name": CHAMPION, "model__problem_type": ProblemKind.REGRESSION}
    return send_for_tenants(
        estimate_losses_of, lambda: Alias.objects.filter(**deployed).values_list("model_id", flat=True)
    )


@shared_task(name="monitoring.estimate_losses", base=TenantTask)
def estimate_losses_of(model_id: int) -> None:
    """Estimate the losses of one model's new hours."""
    with tenant_transaction():
        model = RegisteredModel.objects.get(pk=model_id)
    estimate_losses(model=model)


@shared_task(name="monitoring.treat_log", base=TenantTask)
def treat_log_of(model_id: int, kind: str, label: str, actor_id: int | None) -> None:
    """Apply the model's marks of personal columns to what is stored, in the name of whoever asked."""
    with tenant_transaction():
        model = RegisteredModel.objects.get(pk=model_id)
    treat_log(model=model, by=Actor(ActorKind(kind), label, actor_id))


def submit_treatment(*, model: RegisteredModel, by: Actor) -> None:
    """Have a worker apply the model's marks to its log; lost on the way, it is asked for again."""
    args = (model.pk, by.kind.value, by.label, by.id)
    treat_log_of.apply_async_on_commit(args=args, kwargs={"tenant_id": model.tenant_id})
