"""The Quality tab's concept drift: whether a version's errors have risen, in words and as a picture."""

from collections.abc import Mapping

from mlplatform.admin.parts import Fragment
from mlplatform.admin.pictures import plots
from mlplatform.pictures import Axis, Figure, Line, plot
from monitoring.services.concept import ConceptReport
from monitoring.services.concept_words import method_in_words, report_in_words
from monitoring.services.courses import at, time_axis
from monitoring.services.periods import Period

MOST_VERSIONS = 2


def concept_section(reports: Mapping[int, ConceptReport], period: Period) -> Fragment | None:
    """Return how far the errors of each version have risen; None where no outcome came."""
    figures = [_figure(one, period) for one in list(reports.values())[:MOST_VERSIONS]]
    note = method_in_words(next(iter(reports.values()))) if reports else ""
    return plots("Concept drift", figures, note) if figures else None


def _figure(report: ConceptReport, period: Period) -> Figure:
    inside = [one for one in report.course if period.since <= one[0] < period.until]
    x = [at(period, moment) for moment, _, _ in inside]
    axis = time_axis(period)
    ends = [axis.low or 0.0, axis.high or 0.0]
    lines = [
        Line(f"v{report.version.number}", x, [evidence for _, evidence, _ in inside], "both", tone=0),
        Line("a rise is told", ends, [1.0, 1.0], "guide"),
    ]
    title = f"v{report.version.number}: evidence that errors have risen"
    words = " ".join(report_in_words(report))
    y = Axis("share of what is needed", low=0.0, percent=True)
    return Figure(title, plot(lines if x else [], x=axis, y=y, title=title, description=words), words)
