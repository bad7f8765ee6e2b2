"""A version's evaluation as parts of a page: plots and tables, each with words of what one sees."""

from collections.abc import Iterator

from mlplatform.admin.parts import Badge, Section, Table
from mlplatform.admin.pictures import plots
from mlplatform.admin.render import number, words
from registry.admin.words import interval_words
from registry.models import ModelVersion
from registry.problems import ProblemType
from registry.tabular.groups import MIN_ROWS
from training.evaluation.effect_figures import effect_figures
from training.evaluation.figures import dependence_figures, figures
from training.evaluation.report import Coverage, Evaluation
from training.evaluation.slices import Gap, Slice
from training.pages.unsupervised import anomaly_sections, portrait_sections
from training.services.evaluations import known_evaluation

MOST_SLICES = 40
LARGE_GAP = 0.8  # the "four fifths" of US employment guidelines: below, a ratio is worth a look
TREATED = "Groups of personal columns stand there by pseudonym or by number."
MEASURES = {
    "selection_rate": "Gets the favourable answer",
    "true_positive_rate": "Gets it, of those who deserve it",
    "false_positive_rate": "Gets it, of those who do not",
}


def evaluation_sections(version: ModelVersion) -> Iterator[Section]:
    """Yield what is known beyond the table of metrics; nothing for a version without an evaluation."""
    evaluation = known_evaluation(version)
    if evaluation is None:
        return
    problem = version.model.problem
    if evaluation.clusters:
        yield from portrait_sections(evaluation.clusters)
    if evaluation.anomalies is not None:
        yield from anomaly_sections(evaluation.anomalies)
    yield from _measured(version, evaluation, problem)


def _measured(version: ModelVersion, evaluation: Evaluation, problem: ProblemType) -> Iterator[Section]:
    if evaluation.by_class:
        yield _classes(evaluation)
    pictures = figures(evaluation, problem)
    if pictures:
        yield plots("How it does on the rows held out", pictures)
    yield from _inputs(evaluation, version.model.target)
    if evaluation.slices:
        yield _slices(evaluation, problem, version.metrics.get(problem.primary_metric))
    if evaluation.gaps:
        yield _gaps(evaluation, problem)
    if evaluation.coverage:
        yield _coverage(evaluation, problem)


def _inputs(evaluation: Evaluation, target: str) -> Iterator[Section]:
    if evaluation.effects is not None:
        note = (
            "Each input's fair share (Shapley value) of the way from the usual answer to a row's own, for "
            f"{evaluation.effects.rows:,} rows held out. It tells what moves the model, not what causes what."
        )
        yield plots("What moves its answers", effect_figures(evaluation.effects, target), note)
    dependence = dependence_figures(evaluation, target)
    if dependence:
        note = "The mean answer when one column is changed and all others are left as they are."
        yield plots("What its answer depends on", dependence, note)


def _classes(evaluation: Evaluation) -> Table:
    rows = [
        [one["label"], one["rows"], one["precision"], one["recall"], one["f1"]] for one in evaluation.by_class
    ]
    note = "Precision: of the rows named so, the share that is. Recall: of those that are, the share found."
    return Table("By class", ["Class", "Rows", "Precision", "Recall", "F1"], rows, note=note, wide=False)


def _slices(evaluation: Evaluation, problem: ProblemType, whole: float | None) -> Table:
    shown = evaluation.slices[:MOST_SLICES]
    rows = [
        [
            one.column,
            one.value,
            one.rows,
            one.scores.get(problem.primary_metric),
            None if one.low is None or one.high is None else interval_words((one.low, one.high)),
            _verdict(one, problem, whole),
        ]
        for one in shown
    ]
    note = (
        f"{problem.primary.title} of each group of at least {MIN_ROWS} held-out rows: values of a category, "
        "quarters of a number. Of many groups a few look odd by chance."
    )
    if any(one.personal for one in shown):
        note += f" {TREATED}"
    if len(evaluation.slices) > len(shown):
        note += f" The first {MOST_SLICES} of {len(evaluation.slices)}; the API has all."
    columns = ["Column", "Group", "Rows", problem.primary.title, "Between", "Against all rows"]
    return Table("By group", columns, rows, note=note)


def _verdict(one: Slice, problem: ProblemType, whole: float | None) -> Badge | None:
    if whole is None or one.low is None or one.high is None:
        return None
    if one.low <= whole <= one.high:
        return Badge("alike", "muted")
    better = (one.low > whole) == problem.primary.higher_is_better
    return Badge("better", "good") if better else Badge("worse", "warn")


def _gaps(evaluation: Evaluation, problem: ProblemType) -> Table:
    rows = [
        [gap.column, _measure(gap, problem), gap.highest, gap.lowest, gap.difference, _ratio(gap)]
        for gap in evaluation.gaps
    ]
    hope = f" The favourable answer is {evaluation.favourable}." if evaluation.favourable else ""
    note = (
        f"How differently groups fare.{hope} A ratio below {LARGE_GAP} is worth a look; whether it is unfair "
        "is for people to say."
    )
    if any(gap.personal for gap in evaluation.gaps):
        note += f" {TREATED}"
    columns = ["Column", "What is compared", "Highest", "Lowest", "Difference", "Lowest / highest"]
    return Table("Fairness", columns, rows, note=note)


def _measure(gap: Gap, problem: ProblemType) -> str:
    return MEASURES.get(gap.measure) or problem.metric(gap.measure).title or words(gap.measure)


def _ratio(gap: Gap) -> Badge | None:
    if gap.ratio is None:
        return None
    return Badge(number(gap.ratio), "warn" if gap.ratio < LARGE_GAP and gap.measure in MEASURES else "muted")


def _coverage(evaluation: Evaluation, problem: ProblemType) -> Table:
    labelled = problem.key == "classification"
    rows = [
        [f"{one.promised:.0%}", f"{one.measured:.1%}", _size(one, labelled)] for one in evaluation.coverage
    ]
    what = "sets of classes" if labelled else "intervals"
    note = (
        f"Asked with intervals, the model answers with {what} that hold the truth at least as often as "
        "promised, on data like this (conformal prediction). Measured on the rows held out."
    )
    columns = ["Promised", "Held the truth", "Classes in a set" if labelled else "Width of an interval"]
    return Table("Intervals and their honesty", columns, rows, note=note, wide=False)


def _size(one: Coverage, labelled: bool) -> str:
    return f"{one.size:.2f} on average" if labelled else number(one.size)
