"""What the platform must know of a kind of problem to train, compare and watch its models."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

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
class Predictions:
    """A model's answers for n rows.

    ``values``: n labels (text) or n floats. ``probabilities``: shape (n, k), its columns in the order of
    the k ``classes``, or None where the model gives none.
    """

    values: npt.NDArray[Any]
    probabilities: npt.NDArray[np.float64] | None = None
    classes: list[str] | None = None

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: npt.NDArray[Any]) -> "Predictions":
        """The answers at these row positions, or where this mask is true."""
        probabilities = None if self.probabilities is None else self.probabilities[rows]
        return Predictions(values=self.values[rows], probabilities=probabilities, classes=self.classes)


def target_name(target: "pd.Series[Any]") -> str:
    """What to call the target in a message."""
    return "target" if target.name is None else str(target.name)


class ProblemType(ABC):
    """One kind of problem. Instances hold no state."""

    key: ClassVar[str]
    title: ClassVar[str]
    primary_metric: ClassVar[str]
    metrics: ClassVar[tuple[Metric, ...]]

    @property
    def primary(self) -> Metric:
        """The metric that leaderboards and gates decide by."""
        return self.metric(self.primary_metric)

    def metric(self, name: str) -> Metric:
        """The metric of this name; raises ``KeyError`` where the problem has none such."""
        return {metric.name: metric for metric in self.metrics}[name]

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

    @abstractmethod
    def parse_outcome(self, value: object, classes: list[str] | None) -> str | float:
        """A reported ground truth in canonical form; raises ``InvalidOutcome``."""
