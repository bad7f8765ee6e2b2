"""Whether the champion does so badly that the version before it should answer again."""

from dataclasses import dataclass, field, replace
from typing import Any

from django.utils import timezone

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from monitoring.deciding.rollback import Evidence, Signal, judge_rollback
from monitoring.errors import NothingDeployed, RollbackNotDue
from monitoring.models import AlertRule
from monitoring.models.alert import GRAVITY, AlertMetric, Severity
from monitoring.services.performance import realized
from monitoring.services.policies import policy_of
from monitoring.services.rollback_evidence import rollback_terms_of, watch_of
from monitoring.services.rollbacks import watched_promotion
from monitoring.services.rules import tolerated_value
from registry.models import Deployment, ModelVersion, RegisteredModel
from registry.services.champions import champion_of, earlier_champions
from registry.services.promotion import rollback

MINIMUM_ROWS = 30


@dataclass(frozen=True)
class RollbackCheck:
    """``due`` is whether the champion's realized quality is proven to be below its limit, and ``to`` exists.

    ``sentence`` says why or why not; ``numbers`` are those behind it. ``tests`` are those by which a policy
    rolls back, which may be looked at as often as one likes.
    """

    model: RegisteredModel
    version: ModelVersion
    to: ModelVersion | None
    due: bool
    sentence: str
    numbers: dict[str, Any] = field(default_factory=dict)
    tests: list[Evidence] = field(default_factory=list)


def auto_rollback_check(model: RegisteredModel) -> RollbackCheck:
    """Return whether a rollback is due; changes nothing.

    It is where the whole 95 % interval of the primary metric, over the outcomes of the champion's answers
    since it was deployed (at most 7 days), lies on the wrong side of the limit: that of the model's gravest
    rule on quality, else a tenth worse than the hold-out. So a bad day on few rows takes nothing back. One
    look keeps its 95 %; somebody who asks again and again will once be told too early.

    Raises NothingDeployed where nothing answers.
    """
    with tenant_transaction():
        champion = champion_of(model)
        to = next(iter(earlier_champions(model)), None)
    if champion is None:
        raise NothingDeployed(f"Model {model.name} has no champion. Promote a version first.")
    due, sentence, numbers = _judged(model, champion)
    tests = _tests(model)
    if due and to is None:
        sentence = f"{sentence} No earlier version can answer."
        return RollbackCheck(model, champion, None, False, sentence, numbers, tests)
    return RollbackCheck(model, champion, to, due, sentence, numbers, tests)


def roll_back_if_due(*, model: RegisteredModel, by: Actor) -> Deployment:
    """Make the champion before the champion again where the check says so; raises RollbackNotDue.

    And what ``auto_rollback_check`` and ``rollback`` raise.
    """
    found = auto_rollback_check(model)
    if not found.due:
        raise RollbackNotDue(
            f"{found.sentence} Nothing was changed; roll back by hand where you know better."
        )
    return rollback(model=model, by=by, reason=f"Checked: {found.sentence}", to=found.to)


def _tests(model: RegisteredModel) -> list[Evidence]:
    """Return every test of an automatic rollback, those of signals that the policy leaves out as well."""
    policy = policy_of(model)
    terms = replace(rollback_terms_of(policy), signals=frozenset(Signal))
    with tenant_transaction():
        promotion = watched_promotion(model)
        return (
            []
            if promotion is None
            else judge_rollback(terms, watch_of(policy, promotion), timezone.now()).tests
        )


def _judged(model: RegisteredModel, champion: ModelVersion) -> tuple[bool, str, dict[str, Any]]:
    limit, least = _limit(model, champion)
    if model.problem.outcome is None or limit is None:
        return False, f"Nothing tells how good the answers of {champion} are, so nothing is proven.", {}
    found = realized(model=model)
    labelled = 0 if found is None else found.labelled
    metric = model.problem.primary
    if found is None or labelled < least or metric.name not in found.intervals:
        sentence = f"{labelled} outcomes of {champion} are known; {least} are needed for a verdict."
        return False, sentence, {"labelled": labelled, "needed": least}
    value, (low, high) = found.metrics[metric.name], found.intervals[metric.name]
    numbers = {"metric": metric.name, "value": value, "low": low, "high": high, "limit": limit}
    best = high if metric.higher_is_better else low
    due = metric.is_better(limit, best)
    verdict = "proven to be worse than" if due else "not proven to be worse than"
    sentence = (
        f"{metric.title} of {champion} is {value:.3g} over {labelled:,} outcomes, most likely between "
        f"{low:.3g} and {high:.3g}: {verdict} the limit of {limit:.3g}."
    )
    return due, sentence, {**numbers, "labelled": labelled}


def _limit(model: RegisteredModel, champion: ModelVersion) -> tuple[float | None, int]:
    """Return the limit of the primary metric, and the fewest outcomes for a verdict."""
    with tenant_transaction():
        rules = list(AlertRule.objects.filter(model=model, metric=AlertMetric.PERFORMANCE, enabled=True))
    if not rules:
        return tolerated_value(champion), MINIMUM_ROWS
    gravest = max(rules, key=lambda rule: GRAVITY[Severity(rule.severity)])
    return gravest.threshold, gravest.minimum_rows
