"""All that is known of how good a version is, measured once on its hold-out and stored with it."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.inference.conformal import (
    Calibration,
    calibration,
    class_scores,
    intervals,
    regression_scores,
    set_coverage,
)
from registry.privacy.treatment import UNMARKED, Treater
from registry.problems import Predictions, ProblemType
from registry.problems.class_metrics import confusion_matrix, scores_by_class
from registry.tabular.errors import TooFewRows
from registry.tabular.schema import UNUSED_TYPES, Column, ColumnType
from training.evaluation.curves import Bins, Curve, classification_curves, residuals
from training.evaluation.dependence import Dependence, partial_dependence
from training.evaluation.portraits import Anomalies, Portrait
from training.evaluation.resampling import metric_intervals
from training.evaluation.shapley import WholeEffects, whole_effects
from training.evaluation.slices import Gap, Slice, fairness_gaps, score_slices

CONFIDENCE = 0.95
COVERAGES = (0.8, 0.9, 0.95)
MOST_CLASSES = 12  # of which curves are kept
SLICED_COLUMNS = 12


class ClassCurves(msgspec.Struct, frozen=True):
    """The curves of one class against the rest."""

    roc: Curve
    precision_recall: Curve
    calibration: Bins
    gains: Curve


class Confusion(msgspec.Struct, frozen=True):
    """Counts: a line is the truth, a column what was said."""

    labels: list[str]
    matrix: list[list[int]]


class Coverage(msgspec.Struct, frozen=True):
    """How often intervals or sets held the truth on rows that they were not made from, and how wide they are.

    ``size`` is the interval's length in the target's unit, or the mean number of classes in a set.
    """

    promised: float
    measured: float
    size: float
    rows: int


class LearningPoint(msgspec.Struct, frozen=True):
    """The primary metric on the same test rows, after learning from so many rows."""

    rows: int
    score: float


class Evaluation(msgspec.Struct, frozen=True):
    """What a version's column ``evaluation`` holds; a part that does not apply is empty."""

    rows: int
    confidence: float = CONFIDENCE
    intervals: dict[str, tuple[float, float]] = {}
    by_class: list[dict[str, Any]] = []
    confusion: Confusion | None = None
    curves: dict[str, ClassCurves] = {}
    residuals: Curve | None = None
    slices: list[Slice] = []
    gaps: list[Gap] = []
    favourable: str | None = None
    dependence: list[Dependence] = []
    effects: WholeEffects | None = None
    coverage: list[Coverage] = []
    learning: list[LearningPoint] = []
    split: str = ""
    clusters: list[Portrait] = []
    anomalies: Anomalies | None = None


@dataclass(frozen=True)
class Beside:
    """Columns of the held-out rows that are no inputs, as they were frozen; fairness may ask for them."""

    columns: Sequence[Column] = ()
    rows: pd.DataFrame = field(default_factory=pd.DataFrame)

    def without(self, names: Container[str]) -> "Beside":
        """Return all columns but these."""
        kept = [column for column in self.columns if column.name not in names]
        return Beside(kept, self.rows[[column.name for column in kept]])

    def kind(self, column: Column) -> ColumnType:
        """Return how the column's values fall into groups: numbers stay numbers where they were ignored."""
        values = self.rows[column.name]
        numbers = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
        return ColumnType.numeric if numbers and column.type in UNUSED_TYPES else column.type


class Evidence(msgspec.Struct, frozen=True):
    """The held-out rows with truth and answers, and what is asked of them.

    ``columns`` are those that may be sliced and shown, the most important first; ``fair`` names columns whose
    groups are compared, and ``favourable`` the label that people hope for. ``seen`` holds truth and answers
    of training rows, each by a model that did not learn from it. Of ``personal`` columns nothing but groups
    is measured, under the names that ``treat`` gives them. ``fair`` may name columns ``beside`` the inputs.
    """

    problem: ProblemType
    pipeline: Any
    classes: list[str] | None
    frame: pd.DataFrame
    truth: npt.NDArray[Any]
    answers: Predictions
    columns: Sequence[Column]
    fair: Sequence[str] = ()
    favourable: str | None = None
    seen: tuple[npt.NDArray[Any], Predictions] | None = None
    seed: int = 0
    personal: Sequence[Column] = ()
    beside: Beside = Beside()
    treat: Treater = UNMARKED

    @property
    def favourable_class(self) -> str | None:
        """The label that people hope for, where the model knows it."""
        return self.favourable if self.favourable in (self.classes or ()) else None


def evaluate(evidence: Evidence) -> tuple[Evaluation, Calibration | None]:
    """Measure the version; the calibration is None where it gives nothing to draw intervals or sets from."""
    one, problem = evidence, evidence.problem
    kept, coverage = _conformal(one)
    sliced = [*one.columns[:SLICED_COLUMNS], *one.personal[:SLICED_COLUMNS]]
    return (
        Evaluation(
            rows=len(one.truth),
            intervals=metric_intervals(problem, one.truth, one.answers, seed=one.seed),
            slices=score_slices(one.frame, sliced, one.truth, one.answers, problem, one.treat),
            gaps=_gaps(one),
            favourable=one.favourable,
            dependence=partial_dependence(
                one.pipeline, one.frame, one.columns, problem, one.classes, one.seed
            ),
            effects=whole_effects(
                one.pipeline, one.frame, one.columns, one.classes, label=one.favourable_class, seed=one.seed
            ),
            coverage=coverage,
            **_of_kind(one),
        ),
        kept,
    )


def without_personal_groups(evaluation: Evaluation) -> Evaluation:
    """Return the evaluation without what was measured by groups of personal columns."""
    return msgspec.structs.replace(
        evaluation,
        slices=[one for one in evaluation.slices if not one.personal],
        gaps=[one for one in evaluation.gaps if not one.personal],
    )


def _of_kind(one: Evidence) -> dict[str, Any]:
    if one.problem.key == "regression":
        return {"residuals": residuals(one.truth.astype("float64"), one.answers.values, one.seed)}
    truth, said = one.truth.astype(str), one.answers.values.astype(str)
    labels, counts = confusion_matrix(truth, said)
    found: dict[str, Any] = {
        "confusion": Confusion(labels, counts.tolist()),
        "by_class": scores_by_class(labels, counts),
    }
    if one.answers.probabilities is not None and one.answers.classes is not None:
        curves = classification_curves(
            one.truth, one.answers.probabilities, one.answers.classes, most=MOST_CLASSES
        )
        found["curves"] = {label: ClassCurves(**parts) for label, parts in curves.items()}  # type: ignore[arg-type]  # by name
    return found


def _gaps(one: Evidence) -> list[Gap]:
    of_inputs = {column.name: (one.frame, column.type) for column in (*one.columns, *one.personal)}
    others = {column.name: (one.beside.rows, one.beside.kind(column)) for column in one.beside.columns}
    known = of_inputs | others
    return [
        gap
        for name, (rows, kind) in ((name, known[name]) for name in one.fair if name in known)
        for gap in fairness_gaps(
            name, rows[name], one.truth, one.answers, one.problem, one.favourable, kind, one.treat
        )
    ]


def _conformal(one: Evidence) -> tuple[Calibration | None, list[Coverage]]:
    """Calibrated on training rows out of fold and measured on the hold-out, where there are such answers.

    Otherwise on the hold-out itself, and measured by its halves: each by a calibration on the other.
    """
    if one.problem.key == "classification" and one.answers.probabilities is None:
        return None, []
    if one.seen is not None:
        kept = calibration(_scores(one, *one.seen))
        return kept, [found for c in COVERAGES for found in _measured(one, [(kept, slice(None))], c)]
    own = _scores(one, one.truth, one.answers)
    if len(own) < 2:
        return None, []
    order = np.random.default_rng(one.seed).permutation(len(own))
    halves = order[: len(order) // 2], order[len(order) // 2 :]
    crossed = [(calibration(own[halves[0]]), halves[1]), (calibration(own[halves[1]]), halves[0])]
    return calibration(own), [found for c in COVERAGES for found in _measured(one, crossed, c)]


def _scores(one: Evidence, truth: npt.NDArray[Any], answers: Predictions) -> npt.NDArray[np.float64]:
    if one.problem.key == "regression":
        return regression_scores(truth.astype("float64"), answers.values.astype("float64"))
    return class_scores(truth, np.asarray(answers.probabilities), list(answers.classes or ()))


def _measured(
    one: Evidence, calibrated: Sequence[tuple[Calibration, Any]], promised: float
) -> list[Coverage]:
    try:
        parts = [_tried(one, kept, rows, promised) for kept, rows in calibrated]
    except TooFewRows:
        return []
    held, sizes = (np.concatenate(part) for part in zip(*parts, strict=True))
    return [Coverage(promised, float(held.mean()), float(sizes.mean()), len(held))]


def _tried(one: Evidence, kept: Calibration, rows: Any, promised: float) -> tuple[Any, Any]:
    """Whether the truth is held, and the length of each interval or the number of classes in each set."""
    learnt, truth = kept.at(promised), one.truth[rows]
    if one.problem.key == "regression":
        low, high = intervals(one.answers.values[rows].astype("float64"), learnt)
        numbers = truth.astype("float64")
        return (numbers >= low) & (numbers <= high), high - low
    probabilities = np.asarray(one.answers.probabilities)[rows]
    return set_coverage(truth, probabilities, list(one.answers.classes or ()), learnt)
