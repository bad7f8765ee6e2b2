"""What a race runs on, and who follows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd

from registry.problems import ProblemType
from registry.tabular.schema import Column
from training.automl.costs import Size
from training.automl.deciding import Decision
from training.automl.search import AS_IT_IS, Folds
from training.automl.trials import TrialResult, TrialSpec
from training.evaluation.splits import thinned


class OutOfTime(Exception):
    """A trial has not ended when the search must."""


class Observer(Protocol):
    """Whoever follows a race: a job with its rows, or nobody."""

    def check(self) -> None:
        """Raise where the race is to stop."""

    def begun(self, spec: TrialSpec, share: float) -> Any:
        """A trial begins; what is returned names it from now on."""

    def fold(self, trial: Any, index: int, scores: dict[str, float], done: float) -> None:
        """A fold was scored; ``done`` is the share of the time that is used."""

    def ended(self, trial: Any, result: TrialResult) -> None:
        """A trial has ended."""

    def revised(self, trial: Any, result: TrialResult) -> None:
        """A trial that had ended was scored on further folds."""

    def note(self, text: str) -> None:
        """Something that a reader wants to know."""


@dataclass(frozen=True)
class Field:
    """What is raced on: canonical features, cleaned target, and the folds of their rows.

    ``again`` holds other divisions into folds, on which the best are looked at once more.
    """

    features: pd.DataFrame
    target: "pd.Series[Any]"
    columns: Sequence[Column]
    problem: ProblemType
    folds: Folds
    seed: int
    decision: Decision = AS_IT_IS
    threads: int = 1
    again: Sequence[Folds] = ()

    def size(self, share: float = 1.0) -> Size:
        """The size of one fold's fit on a share of the rows."""
        classes = self.target.nunique() if self.problem.key == "classification" else 1
        return Size(int(share * len(self.folds[0][0])), len(self.columns), classes)

    def part(self, share: float) -> Folds:
        """The folds with a part of their training rows, the same for every trial."""
        return thinned(list(self.folds), share, self.seed)
