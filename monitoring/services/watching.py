"""What rules remember between checks: M of N, and for how long there was too little data."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from monitoring.models import AlertRule
from monitoring.models.alert import AlertMetric, Comparison
from monitoring.services.rule_measures import JUDGED_BEYOND_CHANCE
from monitoring.services.verdicts import Findings, Verdict, verdict_of
from registry.models import ModelVersion

MOST_CHECKS = 100


def judged(
    rules: list[AlertRule], champion: ModelVersion, findings: Findings, now: datetime
) -> dict[AlertRule, Verdict]:
    """Judge the findings by each rule and note it in the rule; rules without a verdict are left out.

    A verdict is crossed where ``required`` of the rule's last ``out_of`` verdicts on this version were. Call
    it in the transaction of the check, and once for each check: every call counts.
    """
    found = {}
    for rule in rules:
        verdict = verdict_of(rule, findings)
        _remember(rule, champion, verdict, now)
        if verdict is not None:
            found[rule] = _whole(rule, verdict)
    return found


def silent_since(rule: AlertRule) -> datetime | None:
    """Return since when every check of the rule lacked data; None where the last one had a verdict."""
    since = rule.watch.get("silent_since")
    return datetime.fromisoformat(since) if since else None


def is_silent_too_long(rule: AlertRule, now: datetime) -> bool:
    """Tell whether the rule has lacked data for longer than it allows."""
    since = silent_since(rule)
    return (
        bool(rule.no_data_hours) and since is not None and now - since >= timedelta(hours=rule.no_data_hours)
    )


def condition_of(rule: AlertRule) -> dict[str, Any]:
    """Return what the rule demanded, in words that stay true when the rule is changed."""
    told: dict[str, Any] = {"watched": AlertMetric(rule.metric).label}
    told["condition"] = limit_words(rule)
    if rule.window_hours:
        told["looked_at"] = f"the last {rule.window_hours} hours"
    if rule.slice:
        told["slice"] = rule.slice
    if rule.out_of > 1:
        told["crossed_in"] = f"{_crossed(rule)} of the last {_known(rule)} checks, {rule.required} are needed"
    told["minimum_rows"] = rule.minimum_rows
    return told


def limit_words(rule: AlertRule) -> str:
    """Return when the rule finds its metric too much, as a half sentence after the metric's name."""
    limit = f"{rule.threshold:g}"
    if rule.comparison != Comparison.WORSE:
        return f"{'at or above' if rule.comparison == Comparison.ABOVE else 'at or below'} {limit}"
    if rule.metric == AlertMetric.DRIFT_SHARE:
        share = f", with {rule.threshold:.0%} of the features drifted or more" if rule.threshold else ""
        return f"at every alarm of the drift check{share}"
    if rule.metric == AlertMetric.PERFORMANCE:
        return f"worse than {limit}"
    if rule.metric == AlertMetric.CONCEPT_DRIFT:
        return f"{limit} or more in its hours"
    return f"above {limit}, beyond chance" if rule.metric in JUDGED_BEYOND_CHANCE else f"above {limit}"


def _remember(rule: AlertRule, champion: ModelVersion, verdict: Verdict | None, now: datetime) -> None:
    same = rule.watch.get("version") == champion.pk
    verdicts = list(rule.watch.get("verdicts", [])) if same else []
    watch: dict[str, Any] = {"version": champion.pk, "verdicts": verdicts}
    if verdict is None:
        watch["silent_since"] = (same and rule.watch.get("silent_since")) or now.isoformat()
    else:
        watch["verdicts"] = [*verdicts, bool(verdict.crossed)][-MOST_CHECKS:]
    if watch != rule.watch:
        rule.watch = watch
        AlertRule.objects.filter(pk=rule.pk).update(watch=watch)


def _known(rule: AlertRule) -> int:
    return len(rule.watch.get("verdicts", [])[-rule.out_of :])


def _crossed(rule: AlertRule) -> int:
    return sum(rule.watch.get("verdicts", [])[-rule.out_of :])


def _whole(rule: AlertRule, verdict: Verdict) -> Verdict:
    often = f" Crossed in {_crossed(rule)} of the last {_known(rule)} checks." if rule.out_of > 1 else ""
    evidence = {**condition_of(rule), **verdict.evidence}
    crossed = _crossed(rule) >= rule.required
    return replace(verdict, crossed=crossed, message=verdict.message + often, evidence=evidence)
