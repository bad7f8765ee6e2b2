"""What a policy does about a model now, to take it back or to retrain it, and the record of that."""

from typing import Any

from django.db import IntegrityError
from django.utils import timezone

from mlplatform.errors import PlatformError
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import fields_of, record
from monitoring.deciding.history import situation_at
from monitoring.deciding.retraining import Call, Judgement, Refusal, judge
from monitoring.models import RetrainingDecision, RetrainingPolicy
from monitoring.models.policy import ROLLBACKS, DecisionState
from monitoring.services.actors import policy_actor
from monitoring.services.histories import MOST_COUNTED, present_of
from monitoring.services.policies import policy_of, terms_of
from monitoring.services.rollbacks import decide_rollback
from registry.models import Dataset, ModelVersion, RegisteredModel
from registry.services.champions import champion_of
from training.models import TrainingJob
from training.services.datasets import retraining_dataset
from training.services.jobs import newest_config


def decide(*, model: RegisteredModel) -> RetrainingDecision | None:
    """Decide by the model's policy what to do now: ``monitoring.deciding`` judges.

    First whether to roll back, then, where that was not done, whether to retrain. Returns None where no rule
    calls for anything. A refusal is a DECLINED row with its reason; the same reason for
    the same call is not written twice. A TRAINING row without a job is for the caller to submit: its
    ``inputs`` name the dataset and the configuration.
    """
    policy = policy_of(model)
    taken_back = decide_rollback(policy=policy)
    if taken_back is not None and taken_back.state == DecisionState.ROLLED_BACK:
        return taken_back
    return _retraining(policy) or taken_back


def _retraining(policy: RetrainingPolicy) -> RetrainingDecision | None:
    terms, model = terms_of(policy), policy.model
    with tenant_transaction():
        now = timezone.now()
        most = max(MOST_COUNTED, terms.minimum_new, terms.feedback or 0)
        judgement = judge(terms, situation_at(present_of(model, now, most), now))
    if judgement.call is None:
        return None
    if judgement.refusal is not None:
        return _declined(model, judgement.call, judgement.refusal, judgement.numbers)
    try:
        dataset = retraining_dataset(model=model, by=policy_actor(model))
    except PlatformError as error:
        return _declined(model, judgement.call, Refusal(error.code, error.detail), judgement.numbers)
    if _trained_on(model, dataset):
        sentence = "The newest version was trained on the very same rows. Send outcomes of new predictions."
        return _declined(model, judgement.call, Refusal("nothing_new", sentence), judgement.numbers)
    return _accepted(model, judgement, judgement.call, dataset)


def attach_job(*, decision: RetrainingDecision, job: TrainingJob) -> RetrainingDecision:
    """Note which job carries the decision out."""
    decision.job = job
    decision.save(update_fields=["job"])
    return decision


def _trained_on(model: RegisteredModel, dataset: Dataset) -> bool:
    with tenant_transaction():
        newest = ModelVersion.objects.filter(model=model).order_by("-number").only("dataset_id").first()
    return newest is not None and newest.dataset_id == dataset.pk


def _declined(
    model: RegisteredModel, call: Call, refusal: Refusal, numbers: dict[str, Any]
) -> RetrainingDecision:
    with tenant_transaction():
        RegisteredModel.objects.select_for_update(no_key=True).get(pk=model.pk)
        last = RetrainingDecision.objects.filter(~ROLLBACKS, model=model).first()
        if last is not None and _same(last, call, refusal):
            return last
        decision = RetrainingDecision.objects.create(
            model=model,
            rule=call.cause,
            champion=champion_of(model),
            alert_id=call.alert,
            state=DecisionState.DECLINED,
            reason=refusal.sentence[:500],
            inputs={"code": refusal.code, **numbers},
            settled_at=timezone.now(),
        )
        after = fields_of(decision, "created_at")
        record(by=policy_actor(model), action="retraining.declined", target=decision, after=after)
    return decision


def _same(last: RetrainingDecision, call: Call, refusal: Refusal) -> bool:
    told = (last.state, last.rule, last.alert_id, last.inputs.get("code"))
    return told == (DecisionState.DECLINED, call.cause, call.alert, refusal.code)


def _accepted(
    model: RegisteredModel, judgement: Judgement, call: Call, dataset: Dataset
) -> RetrainingDecision:
    new = judgement.numbers["new_outcomes"]
    reason = f"{call.sentence}; {new:,}{' or more' if new >= MOST_COUNTED else ''} new outcomes."
    try:
        with tenant_transaction():
            decision = RetrainingDecision.objects.create(
                model=model,
                rule=call.cause,
                champion=champion_of(model),
                alert_id=call.alert,
                state=DecisionState.TRAINING,
                reason=reason[:500],
                inputs={**judgement.numbers, "dataset": dataset.pk, "config": newest_config(model)},
            )
            after = fields_of(decision, "created_at")
            record(by=policy_actor(model), action="retraining.decided", target=decision, after=after)
    except IntegrityError:
        refusal = Refusal("already_training", "A retraining that the policy started is still on its way.")
        return _declined(model, call, refusal, judgement.numbers)
    return decision
