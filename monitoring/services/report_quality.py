"""A report's chapters on how good the answers were, and how they were served."""

from dataclasses import dataclass

from mlplatform.pictures import Line
from monitoring.reporting.document import Block, Chapter, table
from monitoring.services.calibration import calibration_reports
from monitoring.services.courses import at, course, over_time, step_words
from monitoring.services.quality import QualityReport, VersionQuality, quality_report
from monitoring.services.report_scope import Asked, counted, number, share, spread
from monitoring.services.service_figures import Latency, service_report
from registry.cards.document import Sentence
from registry.models import RegisteredModel
from registry.problems.base import Metric

MOST_LINES = 4
UNKNOWN = "No outcomes came back in this period: nothing here was measured."
NEVER = "Of a clustering no outcome can tell whether it was right; its drift is told below."


@dataclass(frozen=True)
class Quality:
    """What was measured of the versions that answered: the champion's first, then the newest."""

    report: QualityReport
    versions: list[VersionQuality]


def measured_quality(model: RegisteredModel, asked: Asked) -> Quality:
    """Return the quality of each version that answered in the days."""
    report = quality_report(model=model, period=asked.period)
    champion = asked.champion.pk if asked.champion else None
    told = [one for one in report.versions if one.predictions]
    return Quality(report, sorted(told, key=lambda one: (one.version.pk != champion, -one.version.number)))


def quality_sentence(model: RegisteredModel, found: Quality) -> str:
    """Return the verdict on quality in one sentence."""
    asked = sum(one.predictions for one in found.versions)
    if not asked:
        return f"Nobody asked {model.name} for an answer in this period."
    answered = f"{model.name} gave {counted(asked, 'answer')}"
    if model.problem.outcome is None:
        return f"{answered}; of a {model.problem.title.lower()} no outcome can tell whether they were right."
    metric = model.problem.primary
    one = next((one for one in found.versions if metric.name in one.realized), None)
    if one is None:
        guesses = [one.estimated[metric.name] for one in found.versions if metric.name in one.estimated]
        expected = f" {metric.title} is estimated at {spread(guesses[0])}." if guesses else ""
        return f"{answered}, but no outcomes came back in this period, so quality was not measured.{expected}"
    reached = f"{answered}: v{one.version.number} reached {metric.title} {spread(one.realized[metric.name])}"
    return f"{reached} over {counted(one.labelled, 'outcome')}{_against_holdout(one, metric)}."


def _against_holdout(one: VersionQuality, metric: Metric) -> str:
    promised, found = one.version.metrics.get(metric.name), one.realized[metric.name]
    if promised is None:
        return ""
    if found.low is None or found.high is None or found.low <= promised <= found.high:
        return f", within chance of the {number(promised)} of its hold-out"
    better = (found.value > promised) is metric.higher_is_better
    return f", {'better' if better else 'worse'} than the {number(promised)} of its hold-out beyond chance"


def quality_chapter(model: RegisteredModel, asked: Asked, found: Quality) -> Chapter:
    """Return versions, metrics, the course and calibration."""
    blocks: list[Block] = []
    if model.problem.outcome is None:
        blocks.append(Sentence(NEVER))
    elif not any(one.realized for one in found.versions):
        blocks.append(
            Sentence("No outcomes came back in this period: nothing here was measured.", missing=True)
        )
    if found.versions:
        blocks += [_versions(model, asked, found), *_metrics(model, found), *_course(model, found)]
        blocks += _calibration(model, asked)
    return Chapter("Performance", blocks, ("15", "13(3)", "72"))


def _versions(model: RegisteredModel, asked: Asked, found: Quality) -> Block:
    metric, champion = model.problem.primary, asked.champion.pk if asked.champion else None
    rows = [
        [
            f"v{one.version.number}{', champion as it ended' if one.version.pk == champion else ''}",
            number(one.predictions),
            f"{one.labelled:,}",
            spread(one.realized.get(metric.name)),
            spread(one.estimated.get(metric.name)),
            number(one.version.metrics.get(metric.name)),
        ]
        for one in found.versions
    ]
    columns = ["Version", "Answers", "Outcomes known", metric.title, "Estimated without outcomes", "Hold-out"]
    return table(
        columns,
        rows,
        title="Versions that answered",
        note="In brackets where the truth lies, 95 times in 100.",
    )


def _metrics(model: RegisteredModel, found: Quality) -> list[Block]:
    one = next((one for one in found.versions if one.realized), None)
    if one is None:
        return []
    rows = [
        [metric.title, spread(one.realized[metric.name]), number(one.version.metrics.get(metric.name))]
        for metric in model.problem.metrics
        if metric.name in one.realized
    ]
    title = f"Every metric of v{one.version.number}, over {counted(one.labelled, 'outcome')}"
    return [table(["Metric", "Came true", "Hold-out"], rows, title=title, most=30)]


def _course(model: RegisteredModel, found: Quality) -> list[Block]:
    period, metric = found.report.period, model.problem.primary
    place = {one.version.pk: index for index, one in enumerate(found.versions)}
    trends = sorted(
        (one for one in found.report.trends if one.version.pk in place), key=lambda one: place[one.version.pk]
    )
    lines = [
        course(f"v{one.version.number}", period, [(step.begins, step.realized) for step in one.steps])
        for one in trends[:MOST_LINES]
    ]
    lines += [
        course(
            f"v{one.version.number}, estimated",
            period,
            [(step.begins, step.estimated) for step in one.steps],
            tone=5,
        )
        for one in trends[:1]
    ]
    if not any(lines):
        return []
    words = f"{metric.title}, each point over {step_words(period)}; the band holds the truth 95 times in 100."
    return [over_time(f"{metric.title} over time", lines, period, y=metric.title, words=words)]


def _calibration(model: RegisteredModel, asked: Asked) -> list[Block]:
    found = calibration_reports(model=model, period=asked.period)
    told = [one for one in found if one.error is not None and one.rows]
    if not told:
        return []
    rows = [
        [f"v{one.version.number}", number(one.rows), number(one.error), number(one.noise)]
        for one in sorted(told, key=lambda one: -one.version.number)
    ]
    note = "The error by chance is what perfectly calibrated probabilities would show over so many rows."
    columns = ["Version", "Rows", "Expected calibration error", "By chance"]
    return [table(columns, rows, title="Whether probabilities keep what they say", note=note)]


def service_chapter(model: RegisteredModel, asked: Asked) -> Chapter:
    """Return how much, how fast and by what the model answered."""
    found = service_report(model=model, period=asked.period)
    rows = [
        [
            f"v{one.version.number}",
            number(one.predictions),
            *_times(one.latency),
            share(one.cached / one.predictions),
            number(one.fallbacks),
        ]
        for one in sorted(found.versions, key=lambda one: -one.version.number)
        if one.predictions
    ]
    serves = ("15", "26(5)")
    if not rows:
        return Chapter("Service", [Sentence("Nobody asked in this period.", missing=True)], serves)
    columns = ["Version", "Answers", "Half within", "95 of 100", "99 of 100", "From memory", "Fallbacks"]
    note = "Of what was answered and logged; what was refused or failed is not counted here."
    x = [at(asked.period, step.begins + asked.period.step / 2) for step in found.steps]
    volume = Line("answers", x, [step.predictions for step in found.steps], "both")
    words = f"Each point is {step_words(asked.period)}."
    picture = over_time("Answers over time", [volume], asked.period, y="answers", words=words)
    return Chapter("Service", [table(columns, rows, title="By version", note=note), picture], serves)


def _times(latency: Latency) -> list[str]:
    values = (latency.p50_ms, latency.p95_ms, latency.p99_ms)
    return ["–" if value is None else f"{number(value)} ms" for value in values]
