"""The monitoring page's service and usage."""

from collections import Counter
from collections.abc import Iterable

from mlplatform.admin.parts import Fragment, Section, Table
from mlplatform.admin.pictures import plots
from mlplatform.admin.render import number
from mlplatform.pictures import Bar, Figure, Line, bars
from monitoring.admin.measured import Shown, tab
from monitoring.services.courses import at, over_time, step_words
from monitoring.services.periods import Period
from monitoring.services.request_figures import RequestReport
from monitoring.services.service_figures import Latency, ServiceReport, service_report
from monitoring.services.usage import Use, usage_of
from registry.admin.words import version_link
from registry.models import ModelVersion, RegisteredModel
from registry.models.request_tally import RequestOutcome

ASK = "Nobody asked the model in this period. Ask it at its predict address, or choose a longer period."
MOST_BARS, MOST_ROWS = 12, 100
SHORT = {
    RequestOutcome.ANSWERED: "Answered",
    RequestOutcome.STOOD_IN: "By an earlier version",
    RequestOutcome.INVALID: "Wrong request",
    RequestOutcome.DENIED: "No right",
    RequestOutcome.CONFLICT: "Not possible",
    RequestOutcome.THROTTLED: "Over a limit",
    RequestOutcome.UNAVAILABLE: "Busy",
    RequestOutcome.FAILED: "Error",
}


@tab("service", "Service", at=60)
def service_sections(model: RegisteredModel, shown: Shown) -> Iterable[Section | None]:
    """Yield volume, times, engines, cache hits and how requests ended, by version and over time."""
    found = service_report(model=model, period=shown.period, part=shown.part)
    served = [one for one in found.versions if one.predictions]
    yield Table(
        "Service",
        ["Version", "Predictions", "Half within", "95 of 100", "99 of 100", "From memory", "Fallbacks", "By"],
        [
            [
                version_link(one.version),
                one.predictions,
                *_times(one.latency),
                f"{one.cached:,} ({one.cached / one.predictions:.1%})",
                one.fallbacks,
                ", ".join(f"{name} {count:,}" for name, count in sorted(one.engines.items())),
            ]
            for one in served
        ],
        empty=ASK,
        note="Of what was answered and logged. Fallbacks are answers of the original pipeline where a "
        "version has a twin in ONNX that gave the others.",
    )
    if found.requests is not None:
        yield _requests(found.requests, model)
    if found.steps or (found.requests and found.requests.steps):
        yield _pictures(found, shown.period)


def _requests(found: RequestReport, model: RegisteredModel) -> Table:
    """Return how the requests ended, a row for each version that they reached."""
    seen = [one for one in RequestOutcome if found.outcomes.get(one)]
    numbers = {one.number for one in found.versions}
    known = {one.number: one for one in ModelVersion.objects.filter(model=model, number__in=numbers)}
    rates = [("not answered as asked", found.error_rate), ("refused", found.refusal_rate)]
    told = [f"{rate:.2%} were {what}" for what, rate in rates if rate is not None]
    return Table(
        "How requests ended",
        ["Version", "Requests", *(SHORT[one] for one in seen)],
        [
            [
                version_link(known[one.number]) if one.number in known else "none was reached",
                one.requests,
                *(one.outcomes.get(outcome, 0) for outcome in seen),
            ]
            for one in found.versions
        ],
        empty="No request came over the API in this period.",
        note=f"{'; '.join(told)}. Counted by the server as they end, within some seconds." if told else "",
    )


def _times(latency: Latency) -> list[str | None]:
    values = (latency.p50_ms, latency.p95_ms, latency.p99_ms)
    return [None if value is None else f"{number(value)} ms" for value in values]


def _pictures(found: ServiceReport, period: Period) -> Fragment:
    words = f"Each point is {step_words(period)}."
    drawn = [*_volume_and_time(found, period, words)] if found.steps else []
    if found.requests and found.requests.steps:
        drawn.append(_failures(found.requests, period, words))
    return plots("Over time", drawn)


def _volume_and_time(found: ServiceReport, period: Period, words: str) -> Iterable[Figure]:
    x = [at(period, step.begins + period.step / 2) for step in found.steps]
    volume = Line("predictions", x, [step.predictions for step in found.steps], "both")
    slow = Line("95 of 100", x, [step.p95_ms or 0.0 for step in found.steps], "both", tone=1)
    yield over_time("Volume", [volume], period, y="predictions", words=words)
    yield over_time("Time for 95 of 100", [slow], period, y="milliseconds", words=words)


def _failures(found: RequestReport, period: Period, words: str) -> Figure:
    x = [at(period, step.begins + period.step / 2) for step in found.steps]
    lines = [
        Line("not answered", x, [step.error_rate or 0.0 for step in found.steps], "both", tone=1),
        Line("refused", x, [step.refusal_rate or 0.0 for step in found.steps], "both", tone=0),
    ]
    return over_time("Errors", lines, period, y="share of requests", words=words, percent=True)


@tab("usage", "Usage", at=70)
def usage_sections(model: RegisteredModel, shown: Shown) -> Iterable[Section | None]:
    """Yield who asks how much, in all and by day."""
    uses = usage_of(period=shown.period, model=model)
    if uses:
        yield _callers(uses)
    yield Table(
        "By day",
        ["Day (UTC)", "Who", "Predictions"],
        [[one.day, one.caller, one.predictions] for one in uses[:MOST_ROWS]],
        empty=ASK,
        note=f"The newest {MOST_ROWS} lines." if len(uses) > MOST_ROWS else "",
    )


def _callers(uses: list[Use]) -> Fragment:
    total: Counter[str] = Counter()
    for one in uses:
        total[one.caller] += one.predictions
    most = [Bar(name, count, words=f"{count:,}") for name, count in total.most_common(MOST_BARS)]
    title = "Predictions by caller"
    words = f"{len(total):,} callers, {sum(total.values()):,} predictions."
    return plots("Who asks", [Figure(title, bars(most, axis="predictions", title=title), words)])
