"""One row's answer, ready for JSON."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from registry.errors import CannotPredict
from registry.problems.base import Predictions

MAX_LABEL_LENGTH = 200


@dataclass(frozen=True)
class RowAnswer:
    """A label with its probabilities, or a number, or a label with the number behind it."""

    label: str | None
    value: float | None
    probabilities: dict[str, float] | None


def row_answers(predictions: Predictions, *, labelled: bool) -> Iterator[RowAnswer]:
    """Yield one answer per row in plain Python types; raises CannotPredict where one is not finite."""
    if not labelled:
        for number in predictions.values.tolist():
            yield RowAnswer(None, _finite(number), None)
        return
    numbers = None if predictions.scores is None else predictions.scores.tolist()
    rows = predictions.probabilities.tolist() if predictions.probabilities is not None else None
    classes = predictions.classes or []
    for position, label in enumerate(predictions.values.tolist()):
        by_class = None
        if rows is not None:
            by_class = {name: _finite(p) for name, p in zip(classes, rows[position], strict=True)}
        yield RowAnswer(str(label), None if numbers is None else _finite(numbers[position]), by_class)


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise CannotPredict(
            "The model answered with a number that is not finite. Roll back to an earlier version."
        )
    return float(number)
