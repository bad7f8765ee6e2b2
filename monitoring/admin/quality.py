"""The monitoring page's quality: versions, metrics, and how they went."""

from collections.abc import Iterable, Sequence
from typing import Any

from mlplatform.admin.parts import Badge, Fragment, Section, Table
from mlplatform.admin.pictures import plots
from mlplatform.admin.render import number
from mlplatform.pictures import Line
from monitoring.admin.concept import concept_section
from monitoring.admin.measured import Shown, tab
from monitoring.admin.measured_words import ahead_badge, estimate_cell
from monitoring.admin.shadows import shadow_section
from monitoring.services.courses import course, over_time, step_words
from monitoring.services.quality import QualityReport, Trend, VersionQuality, quality_report
from registry.admin.words import version_link
from registry.models import RegisteredModel
from registry.services.sampling import share_words

MOST_VERSIONS = 4  # beside each other in a table, and as lines of a picture
TELL = (
    "No outcome is known for this period. Send what really happened to POST /api/v1/outcomes, or enter it "
    "under Outcomes, and come back."
)
NEVER = "Of a clustering no outcome can tell whether it was right. Look at its drift instead."


@tab("quality", "Quality", at=10)
def quality_sections(model: RegisteredModel, shown: Shown) -> Iterable[Section | None]:
    """Yield every metric by version, the trend, and the champion against the others."""
    if model.problem.outcome is None:
        yield Table("Quality", [], [], empty=NEVER)
        return
    report = quality_report(model=model, period=shown.period, metric=_metric(model, shown), part=shown.part)
    yield _versions(model, report)
    yield _metrics(model, report)
    yield _trends(model, report)
    concepts = {one.version.pk: one.concept for one in report.versions if one.concept is not None}
    yield concept_section(concepts, shown.period)
    yield shadow_section(model)


def _metric(model: RegisteredModel, shown: Shown) -> str:
    asked = shown.query.get("metric", "")
    return asked if asked in {metric.name for metric in model.problem.metrics} else ""


def _versions(model: RegisteredModel, report: QualityReport) -> Table:
    primary = model.problem.primary
    rows = [
        [
            version_link(one.version),
            ", ".join(one.roles) or "answers to whoever names it",
            one.predictions,
            one.labelled,
            estimate_cell(one.realized.get(primary.name)),
            ahead_badge(one.ahead, higher_is_better=primary.higher_is_better)
            or ("" if "champion" not in one.roles else Badge("champion", "info")),
        ]
        for one in report.versions
    ]
    note = "Values with the ends between which the true one lies, 95 times in 100, over each one's own rows."
    return Table(
        "Versions",
        ["Version", "Role", "Predictions", "Outcomes known", primary.title, "Against the champion"],
        rows,
        empty="No version answered in this period. Promote one, ask it, or choose a longer period.",
        note=f"{note} {share_words(model)}".strip(),
    )


def _metrics(model: RegisteredModel, report: QualityReport) -> Table:
    known = [one for one in report.versions if one.realized][:MOST_VERSIONS]
    rows = [
        [metric.title, *(_with_holdout(one, metric.name) for one in known)]
        for metric in model.problem.metrics
        if any(metric.name in one.realized for one in known)
    ]
    heads = [f"v{one.version.number}, {one.labelled:,} outcomes" for one in known]
    return Table("Every metric", ["Metric", *heads], rows, empty=TELL)


def _with_holdout(one: VersionQuality, name: str) -> Any:
    promised = one.version.metrics.get(name)
    also = [] if promised is None else [f"hold-out {number(promised)}"]
    return estimate_cell(one.realized.get(name), *also)


def _trends(model: RegisteredModel, report: QualityReport) -> Fragment | None:
    told = [one for one in report.trends if any(step.realized for step in one.steps)][:MOST_VERSIONS]
    if not told:
        return None
    metric = model.problem.metric(told[0].metric)
    lines: Sequence[Line | None] = [_line(one, report) for one in told]
    length = step_words(report.period)
    words = f"{metric.title}, each point over {length}; the band holds the truth 95 times in 100."
    quality = over_time(f"{metric.title} over time", lines, report.period, y=metric.title, words=words)
    counted = [
        Line(
            f"v{one.version.number}",
            list(line.x) if line else [],
            [step.labelled for step in one.steps if step.realized],
            "both",
        )
        for one, line in zip(told, lines, strict=True)
    ]
    outcomes = over_time(
        "Outcomes behind each point", counted, report.period, y="outcomes", words="Few make a wide band."
    )
    return plots("Trend", [quality, outcomes])


def _line(trend: Trend, report: QualityReport) -> Line | None:
    points = [(step.begins, step.realized) for step in trend.steps]
    return course(f"v{trend.version.number}", report.period, points)
