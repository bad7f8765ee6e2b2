"""One row's answer, ready for JSON."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from registry.errors import CannotPredict
from registry.problems.base import Predictions

MAX_LABEL_LENGTH = 200


class RowAnswer(NamedTuple):
    """A label with its probabilities, or a number, or a label with the number behind it."""

    label: str | None
    value: float | None
    probabilities: dict[str, float] | None


def row_answers(predictions: Predictions, *, labelled: bool) -> Iterator[RowAnswer]:
    """Yield one answer per row in plain Python types; raises CannotPredict where one is not finite."""
    if not labelled:
        for number in _finite(predictions.values):
            yield RowAnswer(None, number, None)
        return
    labels = predictions.values.tolist()
    numbers = [None] * len(labels) if predictions.scores is None else _finite(predictions.scores)
    classes = predictions.classes or []
    shares: list[dict[str, float] | None] = [None] * len(labels)
    if predictions.probabilities is not None:
        shares = [dict(zip(classes, row, strict=True)) for row in _finite(predictions.probabilities)]
    for label, number, by_class in zip(labels, numbers, shares, strict=True):
        yield RowAnswer(str(label), number, by_class)


def _finite(numbers: Any) -> list[Any]:
    found = np.asarray(numbers, dtype="float64")
    if not np.isfinite(found).all():
        raise CannotPredict(
            "The model answered with a number that is not finite. Roll back to an earlier version."
        )
    return found.tolist()  # type: ignore[no-any-return]  # a list of numbers, or of lists of them
