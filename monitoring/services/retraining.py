"""Whether alerts are reason enough to retrain: the decision and its record."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError
from django.utils import timezone

from feedback.models import Outcome
from mlplatform.errors import PlatformError
from mlplatform.tenancy.actors import Actor, ActorKind
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import fields_of, record
from monitoring.models import Alert, RetrainingDecision, RetrainingPolicy
from monitoring.models.alert import AlertMetric
from monitoring.models.policy import DecisionState
from monitoring.services.alerts import unresolved_alerts
from monitoring.services.policies import policy_of
from registry.models import Dataset, ModelVersion, RegisteredModel
from training.models import TrainingJob
from training.models.job import ACTIVE_STATES
from training.services.datasets import retraining_dataset
from training.services.jobs import newest_config


@dataclass(frozen=True)
class Refusal:
    """Why the policy does not retrain: a code that tells reasons apart, and a sentence."""

    code: str
    sentence: str


def policy_actor(model: RegisteredModel) -> Actor:
    """Return the actor in whose name the policy of ``model`` works."""
    return Actor(ActorKind.POLICY, f"of {model.name}")


def decide(*, model: RegisteredModel) -> RetrainingDecision | None:
    """Decide by the model's policy whether its unresolved alerts call for retraining.

    Returns None where no alert does. A refusal is a DECLINED row with its reason; the same reason for the
    same alert is not written twice. A TRAINING row without a job is for the caller to submit: its
    ``inputs`` name the dataset and the configuration.
    """
    policy = policy_of(model)
    with tenant_transaction():
        alert = _cause(policy, unresolved_alerts(model))
        if alert is None:
            return None
        inputs = _situation(model, policy, alert)
        refusal = _refusal(model, policy, inputs)
    if refusal is not None:
        return _declined(model, alert, refusal, inputs)
    try:
        dataset = retraining_dataset(model=model, by=policy_actor(model))
    except PlatformError as error:
        return _declined(model, alert, Refusal(error.code, error.detail), inputs)
    if _trained_on(model, dataset):
        sentence = "The newest version was trained on the very same rows. Send outcomes of new predictions."
        return _declined(model, alert, Refusal("nothing_new", sentence), inputs)
    return _accepted(model, alert, dataset, inputs)


def attach_job(*, decision: RetrainingDecision, job: TrainingJob) -> RetrainingDecision:
    """Note which job carries the decision out."""
    decision.job = job
    decision.save(update_fields=["job"])
    return decision


def _cause(policy: RetrainingPolicy, alerts: list[Alert]) -> Alert | None:
    wanted = {AlertMetric.DRIFT_SHARE: policy.on_drift, AlertMetric.PERFORMANCE: policy.on_performance}
    return next((alert for alert in alerts if alert.rule and wanted[AlertMetric(alert.rule.metric)]), None)


def _situation(model: RegisteredModel, policy: RetrainingPolicy, alert: Alert) -> dict[str, Any]:
    newest = ModelVersion.objects.filter(model=model).select_related("job").order_by("-number").first()
    outcomes = Outcome.objects.filter(model=model, current=True)
    if newest is not None:
        outcomes = outcomes.filter(received_at__gt=_data_taken_at(newest))
    return {
        "metric": alert.rule.metric if alert.rule else "",
        "alert": alert.title,
        "new_outcomes": outcomes.count(),
        "minimum_outcomes": policy.minimum_outcomes,
        "newest_version": newest.number if newest else None,
    }


def _data_taken_at(version: ModelVersion) -> datetime:
    # The data was frozen just before the job was made; what came in while it ran is new.
    job: TrainingJob | None = getattr(version, "job", None)
    return version.created_at if job is None else job.created_at


def _refusal(model: RegisteredModel, policy: RetrainingPolicy, inputs: dict[str, Any]) -> Refusal | None:
    if not policy.enabled:
        return Refusal("disabled", "The policy is switched off.")
    if RetrainingDecision.objects.filter(model=model, state=DecisionState.TRAINING).exists():
        return Refusal("already_training", "A retraining that the policy started is still on its way.")
    if TrainingJob.objects.filter(model=model, state__in=ACTIVE_STATES).exists():
        return Refusal("job_active", "A training job of this model waits or runs already.")
    since = timezone.now() - timedelta(minutes=policy.cooldown_minutes)
    recent = RetrainingDecision.objects.filter(model=model, created_at__gt=since)
    if recent.exclude(state=DecisionState.DECLINED).exists():
        return Refusal("cooldown", f"The last retraining is less than {policy.cooldown_minutes} minutes old.")
    if inputs["new_outcomes"] < policy.minimum_outcomes:
        return Refusal(
            "too_few_outcomes",
            f"{inputs['new_outcomes']} of {policy.minimum_outcomes} new outcomes needed have come in.",
        )
    return None


def _trained_on(model: RegisteredModel, dataset: Dataset) -> bool:
    with tenant_transaction():
        newest = ModelVersion.objects.filter(model=model).order_by("-number").only("dataset_id").first()
    return newest is not None and newest.dataset_id == dataset.pk


def _declined(
    model: RegisteredModel, alert: Alert, refusal: Refusal, inputs: dict[str, Any]
) -> RetrainingDecision:
    with tenant_transaction():
        RegisteredModel.objects.select_for_update().get(pk=model.pk)
        last = RetrainingDecision.objects.filter(model=model).first()
        same = last is not None and last.state == DecisionState.DECLINED and last.alert_id == alert.pk
        if last is not None and same and last.inputs.get("code") == refusal.code:
            return last
        decision = RetrainingDecision.objects.create(
            model=model,
            alert=alert,
            state=DecisionState.DECLINED,
            reason=refusal.sentence[:500],
            inputs={"code": refusal.code, **inputs},
            settled_at=timezone.now(),
        )
        after = fields_of(decision, "created_at")
        record(by=policy_actor(model), action="retraining.declined", target=decision, after=after)
    return decision


def _accepted(
    model: RegisteredModel, alert: Alert, dataset: Dataset, inputs: dict[str, Any]
) -> RetrainingDecision:
    reason = f"{alert.title}; {inputs['new_outcomes']} new outcomes."
    try:
        with tenant_transaction():
            decision = RetrainingDecision.objects.create(
                model=model,
                alert=alert,
                state=DecisionState.TRAINING,
                reason=reason[:500],
                inputs={**inputs, "dataset": dataset.pk, "config": newest_config(model)},
            )
            after = fields_of(decision, "created_at")
            record(by=policy_actor(model), action="retraining.decided", target=decision, after=after)
    except IntegrityError:
        refusal = Refusal("already_training", "A retraining that the policy started is still on its way.")
        return _declined(model, alert, refusal, inputs)
    return decision
