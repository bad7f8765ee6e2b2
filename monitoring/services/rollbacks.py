"""Automatic rollback: the live decision, and its record."""

from typing import Any

from django.utils import timezone

from mlplatform.errors import PlatformError
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import fields_of, record
from monitoring.deciding.rollback import Evidence, RollbackJudgement, judge_rollback
from monitoring.models import RetrainingDecision, RetrainingPolicy
from monitoring.models.policy import ROLLBACKS, DecisionState
from monitoring.services.actors import policy_actor
from monitoring.services.alerts import close_outdated
from monitoring.services.rollback_evidence import rollback_terms_of, watch_of
from registry.models import Deployment, ModelVersion, RegisteredModel
from registry.models.deployment import DeploymentAction
from registry.services.champions import champion_changes, earlier_champions
from registry.services.promotion import rollback


def watched_promotion(model: RegisteredModel) -> Deployment | None:
    """Return the promotion that put the champion in place, None where it was not promoted.

    A champion that a rollback has brought back is not watched: what was taken back once is not taken back
    again until somebody promotes anew.
    """
    newest = champion_changes(model).select_related("version__model", "previous")
    found = newest.order_by("-created_at", "-pk").first()
    return found if found is not None and found.action == DeploymentAction.PROMOTE else None


def judged_rollback(policy: RetrainingPolicy) -> tuple[RollbackJudgement, Deployment | None]:
    """Judge the model's champion by the policy; nothing is changed."""
    terms = rollback_terms_of(policy)
    with tenant_transaction():
        promotion = watched_promotion(policy.model)
        if promotion is None or not terms.signals:
            return RollbackJudgement(None), promotion
        return judge_rollback(terms, watch_of(policy, promotion), timezone.now()), promotion


def decide_rollback(*, policy: RetrainingPolicy) -> RetrainingDecision | None:
    """Take the champion back where a signal of the policy is proven, to the last good version.

    Returns None where nothing is proven. Where it is but nothing can be done, the decision is DECLINED, once
    for each champion and reason.
    """
    if not policy.enabled:
        return None
    judgement, promotion = judged_rollback(policy)
    if judgement.proven is None or promotion is None:
        return None
    target = last_good(policy.model)
    if target is None:
        why = f"{judgement.sentence} No earlier version can answer."
        return _declined(promotion, judgement.proven, why, "no_earlier_version", judgement)
    try:
        return _rolled_back(promotion, target, judgement, judgement.proven)
    except PlatformError as error:
        why = f"{judgement.sentence} It was not rolled back. {error.detail}"
        return _declined(promotion, judgement.proven, why, error.code, judgement)


def last_good(model: RegisteredModel) -> ModelVersion | None:
    """Return the nearest earlier champion that no policy has taken back since it was last promoted."""
    with tenant_transaction():
        taken = RetrainingDecision.objects.filter(model=model, state=DecisionState.ROLLED_BACK)
        bad = set(taken.values_list("champion_id", flat=True))
        return next((one for one in earlier_champions(model) if one.pk not in bad), None)


def _rolled_back(
    promotion: Deployment, target: ModelVersion, judgement: RollbackJudgement, proven: Evidence
) -> RetrainingDecision:
    model = promotion.version.model
    by = policy_actor(model)
    with tenant_transaction():
        deployment = rollback(model=model, by=by, reason=judgement.sentence, to=target)
        decision = RetrainingDecision.objects.create(
            model=model,
            rule=proven.signal,
            champion=promotion.version,
            state=DecisionState.ROLLED_BACK,
            reason=judgement.sentence[:500],
            inputs=_inputs(judgement),
            deployment=deployment,
            outcome=f"{target} answers again. It is not taken back until a version is promoted anew.",
            settled_at=timezone.now(),
        )
        close_outdated(model=model, champion=target, by=by)
        record(by=by, action="policy.rolled_back", target=decision, after=fields_of(decision, "created_at"))
    return decision


def _declined(
    promotion: Deployment, proven: Evidence, why: str, code: str, judgement: RollbackJudgement
) -> RetrainingDecision:
    model = promotion.version.model
    with tenant_transaction():
        RegisteredModel.objects.select_for_update(no_key=True).get(pk=model.pk)
        last = RetrainingDecision.objects.filter(ROLLBACKS, model=model).first()
        if last is not None and (last.champion_id, last.inputs.get("code")) == (promotion.version_id, code):
            return last
        decision = RetrainingDecision.objects.create(
            model=model,
            rule=proven.signal,
            champion=promotion.version,
            state=DecisionState.DECLINED,
            reason=why[:500],
            inputs={"code": code, **_inputs(judgement)},
            settled_at=timezone.now(),
        )
        after = fields_of(decision, "created_at")
        record(by=policy_actor(model), action="policy.rollback_declined", target=decision, after=after)
    return decision


def _inputs(judgement: RollbackJudgement) -> dict[str, Any]:
    """Return the numbers of the test that decided; those of the others stand below their names."""
    proven = judgement.proven
    assert proven is not None  # noqa: S101  # the callers have looked
    others = {
        f"{one.what} (not decisive)": f"{one.total / one.count:.3g} over {one.rows:,} answers"
        for one in judgement.tests
        if one is not proven and one.count
    }
    return {**proven.as_json(), **others}
