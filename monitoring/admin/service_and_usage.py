"""The monitoring page's service and usage."""

from collections import Counter
from collections.abc import Iterable

from mlplatform.admin.parts import Fragment, Section, Table
from mlplatform.admin.pictures import plots
from mlplatform.admin.render import number
from mlplatform.pictures import Bar, Figure, Line, bars
from monitoring.admin.measured import Shown, tab
from monitoring.admin.measured_words import at, over_time, step_words
from monitoring.services.periods import Period
from monitoring.services.service_figures import Latency, ServiceReport, service_report
from monitoring.services.usage import Use, usage_of
from registry.admin.words import version_link
from registry.models import RegisteredModel

ASK = "Nobody asked the model in this period. Ask it at its predict address, or choose a longer period."
MOST_BARS, MOST_ROWS = 12, 100


@tab("service", "Service", at=60)
def service_sections(model: RegisteredModel, shown: Shown) -> Iterable[Section | None]:
    """Yield volume, times, engines and cache hits, by version and over time."""
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
    yield _pictures(found, shown.period) if found.steps else None


def _times(latency: Latency) -> list[str | None]:
    values = (latency.p50_ms, latency.p95_ms, latency.p99_ms)
    return [None if value is None else f"{number(value)} ms" for value in values]


def _pictures(found: ServiceReport, period: Period) -> Fragment:
    x = [at(period, step.begins + period.step / 2) for step in found.steps]
    volume = Line("predictions", x, [step.predictions for step in found.steps], "both")
    slow = Line("95 of 100", x, [step.p95_ms or 0.0 for step in found.steps], "both", tone=1)
    words = f"Each point is {step_words(period)}."
    return plots(
        "Over time",
        [
            over_time("Volume", [volume], period, y="predictions", words=words),
            over_time("Time for 95 of 100", [slow], period, y="milliseconds", words=words),
        ],
    )


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
