"""The version is good enough in itself, whatever the champion is."""

from typing import Annotated

from msgspec import Meta

from registry.gates.base import Evidence, Gate, Parameters, Verdict
from registry.problems import ProblemType


class MetricParameters(Parameters, frozen=True):
    """What each metric must reach."""

    bounds: Annotated[
        dict[Annotated[str, Meta(max_length=50)], float],
        Meta(
            max_length=20,
            description="By metric what it must reach on the hold-out: at least so much where higher is "
            "better, at most so much where lower is.",
        ),
    ] = {}
    min_rows: Annotated[
        int, Meta(ge=1, le=10_000_000, description="Fewest hold-out rows on which it must be measured.")
    ] = 20


def check(evidence: Evidence, parameters: MetricParameters) -> Verdict:
    """Compare the recorded hold-out metrics with the bounds; a metric that is not recorded fails."""
    version = evidence.candidate
    faults: list[str] = []
    told: list[str] = []
    if version.holdout_rows < parameters.min_rows:
        faults.append(f"It was measured on {version.holdout_rows} rows; {parameters.min_rows} are asked for.")
    numbers: dict[str, float] = {"rows": version.holdout_rows}
    for name, bound in parameters.bounds.items():
        metric, value = evidence.problem.metric(name), version.metrics.get(name)
        word = "at least" if metric.higher_is_better else "at most"
        if value is None:
            faults.append(f"{metric.title} was not measured.")
            continue
        numbers |= {name: round(value, 6), f"{name}_bound": bound}
        missed = value < bound if metric.higher_is_better else value > bound
        (faults if missed else told).append(f"{metric.title} is {value:.4g}, asked for {word} {bound:.4g}.")
    return not faults, " ".join([*faults, *told]) or "No metric is asked for.", numbers


def unfit(problem: ProblemType, parameters: MetricParameters) -> str:
    """Return which metrics the problem does not have, or an empty text."""
    known = [metric.name for metric in problem.metrics]
    unknown = sorted(set(parameters.bounds) - set(known))
    if unknown:
        return f"{problem.title} has no metric {', '.join(unknown)}. Choose from: {', '.join(known)}."
    return "" if parameters.bounds else "Name one metric at least."


MINIMUM_METRICS = Gate(
    "minimum_metrics",
    "Good enough in itself",
    "The metrics measured on the hold-out reach what you ask for.",
    check,
    MetricParameters,
    unfit=unfit,
)
