"""Truth and answers as numbers: brought to them once, cut into slices often."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.problems import Predictions, ProblemType
from registry.problems.areas import Ranking, rankings

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ClassAnswers:
    """What is true of n rows and what was said of them, as places in the sorted ``labels``.

    ``cells``: the cells (truth times the number of labels, plus answer) of the confusion matrix that any row
    is in, and ``cell_of_row`` (n,) the place of each row's cell among them. ``probabilities`` (n, k), and
    ``column`` (n,) the place of the true class in them, -1 where the model does not know it; None where there
    are none.
    """

    labels: list[str]
    cells: Codes
    cell_of_row: Codes
    probabilities: Floats | None = None
    column: Codes | None = None

    def __len__(self) -> int:
        return len(self.cell_of_row)

    def take(self, rows: Codes) -> Self:
        """The answers for these rows, in this order."""
        inside = self.cell_of_row[rows]
        met = np.bincount(inside, minlength=len(self.cells)) > 0
        places = (np.cumsum(met) - 1)[inside]
        probabilities = None if self.probabilities is None else self.probabilities[rows]
        column = None if self.column is None else self.column[rows]
        return type(self)(self.labels, self.cells[met], places, probabilities, column)

    def counts(self) -> Codes:
        """How many rows are in each of the cells."""
        return np.bincount(self.cell_of_row, minlength=len(self.cells)).astype(np.int64)

    def ranked(self) -> list[Ranking]:
        """The rows by each class's probability; nothing where there are no probabilities."""
        if self.probabilities is None or self.column is None:
            return []
        places = np.arange(self.probabilities.shape[1])
        return rankings(self.probabilities, self.column[:, None] == places[None, :])


@dataclass(frozen=True)
class NumberAnswers:
    """True and predicted numbers of n rows."""

    truth: Floats
    said: Floats

    def __len__(self) -> int:
        return len(self.truth)

    def take(self, rows: Codes) -> Self:
        """The answers for these rows, in this order."""
        return type(self)(self.truth[rows], self.said[rows])


def coded(
    problem: ProblemType, truth: npt.NDArray[Any], predictions: Predictions
) -> ClassAnswers | NumberAnswers | None:
    """Truth and answers as numbers; None for a kind of problem whose metrics need no truth."""
    if problem.key == "regression":
        return NumberAnswers(truth.astype("float64"), predictions.values.astype("float64"))
    if problem.key != "classification":
        return None
    together = np.concatenate([truth.astype(object), predictions.values.astype(object)])
    places, found = pd.factorize(together, use_na_sentinel=False)  # each value is spelt once, not each row
    labels, spelt = np.unique(np.asarray([str(value) for value in found]), return_inverse=True)
    codes = spelt[places]
    pairs = codes[: len(truth)] * len(labels) + codes[len(truth) :]
    cells, cell_of_row = np.unique(pairs, return_inverse=True)
    answers = ClassAnswers([str(label) for label in labels], cells, cell_of_row)
    if predictions.probabilities is None or predictions.classes is None:
        return answers
    columns = pd.Index(predictions.classes).get_indexer(pd.Index(labels))
    column = columns[codes[: len(truth)]].astype(np.int64)
    return ClassAnswers(answers.labels, cells, cell_of_row, predictions.probabilities, column)
