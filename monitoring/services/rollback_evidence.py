"""What the roll-ups tell of a champion's hours, for the tests of an automatic rollback."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from monitoring.counting import latency_bin, latency_percentile
from monitoring.deciding.rollback import Hour, RollbackTerms, Signal, Watch
from monitoring.models import RetrainingPolicy, Rollup
from monitoring.services.windows import hour_of
from monitoring.statistics.tallies import ERROR_BINS_A_DECADE
from registry.models import Deployment, ModelVersion, RequestTally
from registry.models.request_tally import SERVED, RequestOutcome

LARGEST = 4.0  # errors of a number beyond so many tolerated ones count as these: one outlier is no proof
FORMER_HOURS = 720
# That the platform was busy is not the version's doing.
ITS_OWN = (*SERVED, RequestOutcome.FAILED)


def rollback_terms_of(policy: RetrainingPolicy) -> RollbackTerms:
    """Return by what the policy takes a champion back."""
    wanted = {
        Signal.QUALITY: policy.rollback_on_quality,
        Signal.LATENCY: policy.rollback_on_latency,
        Signal.CALIBRATION: policy.rollback_on_calibration,
        Signal.ERRORS: policy.rollback_on_errors,
    }
    return RollbackTerms(
        signals=frozenset(signal for signal, on in wanted.items() if on),
        alpha=policy.rollback_alpha,
        minimum=policy.rollback_minimum,
        gap=policy.rollback_gap,
        watched=timedelta(days=policy.rollback_days),
        errors=policy.rollback_error_rate,
    )


def watch_of(policy: RetrainingPolicy, promotion: Deployment, until: datetime | None = None) -> Watch:
    """Return the champion's hours since its promotion, up to ``until``; call it in a transaction."""
    version = promotion.version
    hours = Rollup.objects.filter(version=version, slice_column="", begins__gte=promotion.created_at)
    if until is not None:
        hours = hours.filter(begins__lt=until)
    found = hours.order_by("begins").values_list("begins", "predictions", "service", "quality")
    tolerated = _tolerated(version, policy.rollback_loss)
    slow_from = _slow_from(policy, promotion)
    known = {one[0]: _hour(*one, tolerated=tolerated, slow_from=slow_from) for one in found}
    return Watch(
        promotion.created_at,
        version.number,
        None if tolerated is None else tolerated[1],
        _with_requests(known, promotion, until),
    )


def _with_requests(known: dict[datetime, Hour], promotion: Deployment, until: datetime | None) -> list[Hour]:
    """Add how the requests for the version ended; where all failed, nothing else is known of an hour."""
    for begins, outcomes in _ended(promotion, until).items():
        asked, answered = sum(outcomes.values()), outcomes.get(RequestOutcome.ANSWERED, 0)
        hour = known.get(begins) or Hour(begins, 0, 0, 0.0, 0, 0.0, 0.0, None)
        known[begins] = replace(hour, asked=asked, failed=asked - answered)
    return sorted(known.values(), key=lambda one: one.begins)


def _ended(promotion: Deployment, until: datetime | None) -> dict[datetime, dict[str, int]]:
    """Return how the requests ended that the version could have answered, by hour.

    The hour of its promotion counts from its first minute, unless it had run before: then what had happened
    before it was taken back would be held against it once more.
    """
    version, since = promotion.version, promotion.created_at
    if not Deployment.objects.filter(version=version, created_at__lt=since).exists():
        since = hour_of(since)
    rows = RequestTally.objects.filter(model=version.model, number=version.number, outcome__in=ITS_OWN)
    rows = rows.filter(begins__gte=since)
    if until is not None:
        rows = rows.filter(begins__lt=until)
    found: dict[datetime, dict[str, int]] = {}
    for begins, outcome, count in rows.values_list("begins", "outcome", "count"):
        found.setdefault(begins, {})[outcome] = count
    return found


def _tolerated(version: ModelVersion, loss: float) -> tuple[float, float] | None:
    """Return the error that counts as 1, and the mean error in [0, 1] that is tolerated; None if unknown."""
    if version.model.problem.outcome == "value":
        error = version.metrics.get("mae")
        return None if not error else (LARGEST * error * (1 + loss), 1 / LARGEST)
    right = version.metrics.get("accuracy")
    return None if right is None else (1.0, 1 - right * (1 - loss))


def _slow_from(policy: RetrainingPolicy, promotion: Deployment) -> int | None:
    """Return the bin of latencies that are within the limit: the policy's, or twice the former's 95 %."""
    limit = policy.rollback_latency_ms
    if limit is None and promotion.previous is not None:
        former = Rollup.objects.filter(
            version=promotion.previous, slice_column="", begins__lt=promotion.created_at
        )
        counts: dict[str, int] = {}
        for service in former.order_by("-begins").values_list("service", flat=True)[:FORMER_HOURS]:
            for place, number in service.get("latency", {}).items():
                counts[place] = counts.get(place, 0) + number
        usual = latency_percentile(counts, 0.95)
        limit = None if usual is None else 2 * usual
    return None if limit is None else latency_bin(limit)


def _hour(
    begins: datetime,
    rows: int,
    service: dict[str, Any],
    quality: dict[str, Any],
    *,
    tolerated: tuple[float, float] | None,
    slow_from: int | None,
) -> Hour:
    sureness = quality.get("chances", {}).get("sureness", {}).values()
    latency = service.get("latency", {})
    timed = sum(latency.values())
    slow = sum(
        number for place, number in latency.items() if slow_from is not None and int(place) > slow_from
    )
    return Hour(
        begins=begins,
        rows=rows,
        known=quality.get("rows", 0),
        loss=0.0 if tolerated is None else _loss(quality, tolerated[0]),
        sure=sum(one.get("rows", 0) for one in sureness),
        said=sum(one.get("said", 0.0) for one in sureness),
        right=sum(one.get("right", 0.0) for one in sureness),
        slow=None if slow_from is None or not timed else slow / timed,
    )


def _loss(quality: dict[str, Any], largest: float) -> float:
    """Return the sum of the errors in [0, 1]: wrong answers; of numbers the lower ends of their bins."""
    if "confusion" in quality:
        right = sum(answers.get(true, 0) for true, answers in quality["confusion"].items())
        return float(quality.get("rows", 0) - right)
    sizes = quality.get("sizes", {}).items()
    return float(sum(number * min(_least(int(place)) / largest, 1.0) for place, number in sizes))


def _least(place: int) -> float:
    return 0.0 if place == -10_000 else float(10 ** (place / ERROR_BINS_A_DECADE))
