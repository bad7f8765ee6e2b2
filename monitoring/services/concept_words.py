"""Concept drift in plain words."""

from monitoring.services.concept import ConceptReport, ErrorRise
from monitoring.statistics.concept import ROWS_PER_FALSE_ALARM
from monitoring.statistics.telling import percent

MOST_TOLD = 3


def rise_in_words(report: ConceptReport, rise: ErrorRise) -> str:
    """Return what a rise of the errors came to."""
    what = "The share of wrong answers" if report.unit is None else "The mean error"
    before, since = (error_in_words(report, one) for one in (rise.before, rise.since))
    return f"{what} rose from {before} to {since}, told after the answers of {rise.at:%Y-%m-%d %H:%M} UTC."


def error_in_words(report: ConceptReport, error: float) -> str:
    """Return a mean error in the unit in which people know it."""
    return percent(error) if report.unit is None else f"{error * report.unit:.4g}"


def report_in_words(report: ConceptReport) -> list[str]:
    """Return what the test has found so far: the newest rises, and how things stand now."""
    told = [rise_in_words(report, one) for one in reversed(report.rises)][:MOST_TOLD]
    stands = f"Since then, or the beginning, {error_in_words(report, report.error)} on average"
    evidence = f"the evidence of a rise is at {percent(min(report.evidence, 1.0))} of what is needed"
    first = told or [f"No rise of the errors over {report.rows:,} outcomes."]
    return [*first, f"{stands}; {evidence}."]


def method_in_words(report: ConceptReport) -> str:
    """Return by what it is told, and what that rests on."""
    borne = percent(report.tolerance) if report.unit is None else f"{report.tolerance * report.unit:.3g}"
    return (
        "Equal inputs may have come to mean something else: then the errors rise, whatever the inputs look "
        "like. The Page–Hinkley test follows every outcome, in the order of its prediction as outcomes come "
        f"in. A rise of {borne} is borne; of an unchanged error about one false alarm comes in "
        f"{ROWS_PER_FALSE_ALARM:,} outcomes. After a rise it begins anew."
    )
