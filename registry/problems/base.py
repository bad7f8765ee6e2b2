"""What the platform must know of a kind of problem to train, compare and watch its models."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd


@dataclass(frozen=True)
class Metric:
    """A figure of merit and its direction; nobody else knows which way is better."""

    name: str
    title: str
    higher_is_better: bool

    def is_better(self, candidate: float, incumbent: float) -> bool:
        """Whether the candidate's value is strictly better than the incumbent's."""
        return candidate > incumbent if self.higher_is_better else candidate < incumbent


@dataclass(frozen=True)
class Fact:
    """A figure that is neither good nor bad in itself, such as the share of rows flagged."""

    name: str
    title: str


@dataclass(frozen=True)
class Predictions:
    """A model's answers for n rows.

    ``values``: n labels (text) or n floats. ``probabilities``: shape (n, k), its columns in the order of
    the k ``classes``, or None where the model gives none. ``scores``: (n,) the number that goes with a label
    where there is one: how unusual a row is, 0 to 1, or how far it is from its cluster's middle.
    ``points``: (n, d) the rows as a clustering sees them, which its metrics need.
    """

    values: npt.NDArray[Any]
    probabilities: npt.NDArray[np.float64] | None = None
    classes: list[str] | None = None
    scores: npt.NDArray[np.float64] | None = None
    points: npt.NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: npt.NDArray[Any]) -> "Predictions":
        """The answers at these row positions, or where this mask is true."""
        return Predictions(
            values=self.values[rows],
            probabilities=None if self.probabilities is None else self.probabilities[rows],
            classes=self.classes,
            scores=None if self.scores is None else self.scores[rows],
            points=None if self.points is None else self.points[rows],
        )


@dataclass(frozen=True)
class Comparison:
    """Two models on the same rows: ``what`` was compared, each one's value, and ours - theirs.

    ``low`` and ``high`` bound the difference with 95 % each; a candidate that is worse by more than
    ``margin`` is not to be taken. ``caveat`` says what could not be judged, ``test`` how it was judged;
    ``p_value`` is that of "no difference", where the test gives one.
    """

    what: str
    candidate: float
    champion: float
    difference: float
    low: float
    high: float
    margin: float
    rows: int
    caveat: str = ""
    test: str = "paired bootstrap"
    p_value: float | None = None

    @property
    def passed(self) -> bool:
        """Whether a loss beyond the margin is ruled out and none is proven."""
        return self.low >= -self.margin and self.high >= 0


def target_name(target: "pd.Series[Any]") -> str:
    """What to call the target in a message."""
    return "target" if target.name is None else str(target.name)


class ProblemType(ABC):
    """One kind of problem. Instances hold no state."""

    key: ClassVar[str]
    title: ClassVar[str]
    primary_metric: ClassVar[str]
    metrics: ClassVar[tuple[Metric, ...]]
    facts: ClassVar[tuple[Fact, ...]] = ()
    needs_target: ClassVar[bool] = True
    """Nothing can be learnt without the column that holds the answers."""
    takes_target: ClassVar[bool] = True
    """Such a column may be named, though it may serve for scoring alone."""
    watched: ClassVar[Literal["label", "value"]]
    """Which part of an answer is watched for drift: the label, or the number."""
    outcome: ClassVar[Literal["label", "value"] | None]
    """What tells afterwards whether an answer was right; None where nothing can."""
    best_row_score: ClassVar[float] = 1.0
    """What ``row_scores`` gives a row that could not be answered better."""

    @property
    def primary(self) -> Metric:
        """The metric that leaderboards and gates decide by."""
        return self.metric(self.primary_metric)

    def metric(self, name: str) -> Metric:
        """The metric of this name; raises ``KeyError`` where the problem has none such."""
        return {metric.name: metric for metric in self.metrics}[name]

    def target_of(self, frame: pd.DataFrame, name: str) -> "pd.Series[Any]":
        """The raw target, or nothing but missing values where the model has none (an empty name)."""
        return frame[name] if name else pd.Series(np.nan, index=frame.index, dtype="float64")

    @abstractmethod
    def check_target(self, target: "pd.Series[Any]") -> None:
        """Raise ``UnusableTarget`` where no model can be trained on the present values."""

    @abstractmethod
    def clean_target(self, target: "pd.Series[Any]") -> "pd.Series[Any]":
        """Canonical values without the missing ones; the index tells which rows stayed."""

    @abstractmethod
    def score(self, y_true: Sequence[Any] | npt.NDArray[Any], predictions: Predictions) -> dict[str, float]:
        """Each metric that is defined for these rows; an undefined one is left out; all are finite."""

    @abstractmethod
    def row_scores(
        self, y_true: Sequence[Any] | npt.NDArray[Any], predictions: Predictions
    ) -> npt.NDArray[np.float64]:
        """One score per row, higher is better, for paired comparisons of two models on the same rows."""

    def row_errors(
        self, y_true: Sequence[Any] | npt.NDArray[Any], predictions: Predictions
    ) -> npt.NDArray[np.float64]:
        """How far each row is from the best score, 0 or more: of labels 0 or 1, of numbers the absolute."""
        errors: npt.NDArray[np.float64] = self.best_row_score - self.row_scores(y_true, predictions)
        return errors

    @abstractmethod
    def compare(
        self, y_true: Sequence[Any] | npt.NDArray[Any], candidate: Predictions, champion: Predictions
    ) -> Comparison:
        """Hold two models' answers for the same rows against each other; raises ``NotComparable``."""

    def reliance(
        self, y_true: Sequence[Any] | npt.NDArray[Any], whole: Predictions, changed: Predictions
    ) -> float:
        """How good the ``changed`` answers are, ``whole`` being those before the change, higher is better.

        The primary metric, its sign turned where lower is better; without truths, agreement with ``whole``.
        """
        value = self.score(y_true, changed).get(self.primary_metric, 0.0)
        return value if self.primary.higher_is_better else -value

    def target_value(self, outcome: Any) -> Any:
        """What the target's column holds for a stored outcome."""
        return outcome

    @abstractmethod
    def parse_outcome(self, value: object, classes: list[str] | None) -> str | float:
        """A reported ground truth in canonical form; raises ``InvalidOutcome``."""
