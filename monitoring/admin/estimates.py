"""The monitoring page's estimates: quality before outcomes come, beside what came true."""

from collections.abc import Iterable

from mlplatform.admin.parts import Fragment, Section, Table
from mlplatform.admin.pictures import plots
from monitoring.admin.measured import Shown, tab
from monitoring.admin.measured_words import estimate_cell
from monitoring.services.courses import course, over_time, step_words
from monitoring.services.quality import QualityReport, VersionQuality, quality_report
from registry.models import RegisteredModel

ESTIMATED = {"classification": "f1", "regression": "mae"}
NOTHING = (
    "Nothing is estimated in this period. It needs predictions of a classifier with probabilities and up to "
    "12 classes, or of a regression, whose estimates a worker adds within five minutes."
)


@tab("estimates", "Estimates", at=20)
def estimate_sections(model: RegisteredModel, shown: Shown) -> Iterable[Section | None]:
    """Yield what quality is to be expected, what that assumes, and both lines over time."""
    name = ESTIMATED.get(model.problem_type, "")
    asked = shown.query.get("metric", "")
    known = {metric.name for metric in model.problem.metrics}
    metric = asked if asked in known else name if name in known else ""
    if not name:
        yield Table("Quality before outcomes", [], [], empty=NOTHING)
        return
    report = quality_report(model=model, period=shown.period, metric=metric, part=shown.part)
    told = [one for one in report.versions if one.estimated]
    if not told:
        yield Table("Quality before outcomes", [], [], empty=NOTHING)
    for one in told[:2]:
        yield _table(model, one)
    yield _picture(model, report)


def _table(model: RegisteredModel, one: VersionQuality) -> Table:
    rows = [
        [
            metric.title,
            estimate_cell(one.estimated[metric.name]),
            estimate_cell(one.realized.get(metric.name)) or "no outcome yet",
            one.version.metrics.get(metric.name),
        ]
        for metric in model.problem.metrics
        if metric.name in one.estimated
    ]
    heads = [
        "Metric",
        f"Estimated over {one.predictions:,} predictions",
        f"Came true over {one.labelled:,} outcomes",
        "Hold-out",
    ]
    note = (
        f"{one.assumptions} The ends beside a value hold what chance does, not what a wrong assumption does."
    )
    return Table(f"v{one.version.number} before outcomes", heads, rows, note=note)


def _picture(model: RegisteredModel, report: QualityReport) -> Fragment | None:
    trend = next((one for one in report.trends if any(step.estimated for step in one.steps)), None)
    if trend is None:
        return None
    metric = model.problem.metric(trend.metric)
    lines = [
        course("estimated", report.period, [(step.begins, step.estimated) for step in trend.steps]),
        course("came true", report.period, [(step.begins, step.realized) for step in trend.steps]),
    ]
    words = f"{metric.title} of v{trend.version.number}, each point over {step_words(report.period)}."
    title = f"{metric.title}: estimated and come true"
    return plots(
        "Estimated and come true", [over_time(title, lines, report.period, y=metric.title, words=words)]
    )
