"""Whether to retrain: the rules, one after another, then the limits."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from monitoring.deciding.history import Situation
from monitoring.deciding.terms import BUDGET_DAYS, VERDICT_ROWS, Cause, Terms


@dataclass(frozen=True)
class Call:
    """What a rule calls for, in words; ``alert`` is the key of the alert behind it."""

    cause: Cause
    sentence: str
    alert: int | None = None


@dataclass(frozen=True)
class Refusal:
    """Why there is no retraining now: a code that tells reasons apart, and a sentence."""

    code: str
    sentence: str


@dataclass(frozen=True)
class Judgement:
    """What was called for, None where nothing was; what stands against it; and the numbers behind both."""

    call: Call | None
    refusal: Refusal | None = None
    numbers: dict[str, Any] = field(default_factory=dict)

    @property
    def retrain(self) -> bool:
        """Whether to retrain."""
        return self.call is not None and self.refusal is None


def judge(terms: Terms, situation: Situation) -> Judgement:
    """Judge how things stand by the policy's terms: the first rule that calls counts, then the first limit.

    Without a champion nothing is decided. A policy that is switched off answers alerts alone, so that people
    see what it left undone.
    """
    if situation.champion is None:
        return Judgement(None)
    calls = (rule(terms, situation) for rule in RULES)
    call = next((one for one in calls if one is not None), None)
    if call is None or (not terms.enabled and call.alert is None):
        return Judgement(None)
    refusals = (limit(terms, situation) for limit in LIMITS)
    refusal = next((one for one in refusals if one is not None), None)
    return Judgement(call, refusal, _numbers(terms, situation, call))


def _alert(terms: Terms, situation: Situation) -> Call | None:
    heeded = {Cause.DRIFT: terms.on_drift, Cause.PERFORMANCE: terms.on_performance}
    for alert in situation.alerts:
        cause = next((one for one in heeded if one == alert.watches), None)
        if cause is not None and heeded[cause]:
            return Call(cause, alert.title, alert.pk)
    return None


def _degradation(terms: Terms, situation: Situation) -> Call | None:
    found, limit = situation.measured, limit_of(terms, situation)
    if not terms.on_performance or found is None or limit is None or found.labelled < VERDICT_ROWS:
        return None
    worse = found.value < limit if situation.higher_is_better else found.value > limit
    if not worse:
        return None
    told = (
        f"{situation.metric} is {found.value:.3f} over {found.labelled:,} outcomes; the limit is {limit:.3f}"
    )
    return Call(Cause.PERFORMANCE, told)


def limit_of(terms: Terms, situation: Situation) -> float | None:
    """Return the stricter of the policy's limits on the primary metric, None where none applies."""
    baseline = situation.champion.baseline if situation.champion else None
    higher, limits = situation.higher_is_better, []
    if terms.threshold is not None and (
        not terms.usual_threshold or (higher and baseline is not None and baseline >= terms.threshold)
    ):
        limits.append(terms.threshold)
    if terms.loss is not None and baseline is not None:
        lost = terms.loss * abs(baseline)
        limits.append(baseline - lost if higher else baseline + lost)
    if not limits:
        return None
    return max(limits) if higher else min(limits)


def _age(terms: Terms, situation: Situation) -> Call | None:
    """Old is what has not been trained, or tried to be, for so long: a failure is not repeated at once."""
    if terms.max_age is None or situation.newest is None:
        return None
    since = max([situation.newest.data_at, *situation.started])
    if situation.at - since < terms.max_age:
        return None
    return Call(Cause.AGE, f"The newest version's data are {(situation.at - since).days} days old")


def _feedback(terms: Terms, situation: Situation) -> Call | None:
    if terms.feedback is None or situation.new_outcomes < terms.feedback:
        return None
    return Call(Cause.FEEDBACK, f"{situation.new_outcomes:,} new outcomes have come in")


def _volume(terms: Terms, situation: Situation) -> Call | None:
    if terms.volume is None or situation.new_rows < terms.volume:
        return None
    return Call(Cause.VOLUME, f"{situation.new_rows:,} new rows have been asked")


def _switched_off(terms: Terms, situation: Situation) -> Refusal | None:
    return None if terms.enabled else Refusal("disabled", "The policy is switched off.")


def _already(terms: Terms, situation: Situation) -> Refusal | None:
    if situation.retraining:
        return Refusal("already_training", "A retraining that the policy started is still on its way.")
    if situation.job_active:
        return Refusal("job_active", "A training job of this model waits or runs already.")
    return None


def _cooldown(terms: Terms, situation: Situation) -> Refusal | None:
    if not situation.started or situation.at - situation.started[-1] >= terms.cooldown:
        return None
    minutes = int(terms.cooldown.total_seconds() // 60)
    return Refusal("cooldown", f"The last retraining is less than {minutes} minutes old.")


def _budget(terms: Terms, situation: Situation) -> Refusal | None:
    done = _recent(situation)
    if terms.budget is None or done < terms.budget:
        return None
    told = f"The policy has retrained {done} times in {BUDGET_DAYS.days} days; its budget is {terms.budget}."
    return Refusal("budget", told)


def _recent(situation: Situation) -> int:
    return sum(situation.at - BUDGET_DAYS < one for one in situation.started)


def _quiet(terms: Terms, situation: Situation) -> Refusal | None:
    if terms.quiet is None or not terms.quiet.hold(situation.at):
        return None
    return Refusal("quiet_hours", f"It waits for the end of the quiet hours, {terms.quiet}.")


def _too_little(terms: Terms, situation: Situation) -> Refusal | None:
    if situation.new_data >= terms.minimum_new:
        return None
    what = "outcomes" if situation.learns == "outcomes" else "rows"
    told = f"{situation.new_data} of {terms.minimum_new} new {what} needed have come in."
    return Refusal(f"too_few_{what}", told)


def _numbers(terms: Terms, situation: Situation, call: Call) -> dict[str, Any]:
    found, champion = situation.measured, situation.champion
    numbers: dict[str, Any] = {
        "new_outcomes": situation.new_outcomes,
        "minimum_outcomes": terms.minimum_new,
        "new_rows": situation.new_rows,
        "newest_version": situation.newest.version if situation.newest else None,
        "champion": champion.version if champion else None,
        "retrainings_in_30_days": _recent(situation),
    }
    if situation.newest is not None:
        numbers["age_days"] = round((situation.at - situation.newest.data_at).total_seconds() / 86_400, 2)
    if found is not None and champion is not None:
        measured = {"value": found.value, "holdout": champion.baseline, "limit": limit_of(terms, situation)}
        numbers |= {"primary_metric": situation.metric, **measured, "labelled": found.labelled}
    if call.alert is not None:
        numbers |= {"metric": call.cause.value, "alert": call.sentence}
    return numbers


Rule = Callable[[Terms, Situation], Call | None]
Limit = Callable[[Terms, Situation], Refusal | None]
RULES: tuple[Rule, ...] = (_alert, _degradation, _age, _feedback, _volume)
LIMITS: tuple[Limit, ...] = (_switched_off, _already, _cooldown, _budget, _quiet, _too_little)
