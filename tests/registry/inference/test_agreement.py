"""A twin is taken only where it answers as the original does."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from registry.inference.agreement import MOST_ROWS, check_twin
from registry.problems.base import Predictions
from registry.tabular.schema import Column, ColumnType

X = [Column("x", ColumnType.numeric, nullable=True)]
FRAME = pd.DataFrame({"x": np.linspace(0, 1, 250)})


class Shifted:
    """Answers like the original, but for what it is told to change."""

    def __init__(self, change: Callable[[Predictions], Predictions]) -> None:
        self.change, self.asked = change, 0

    def predict(self, rows: list[dict[str, float]]) -> Predictions:
        self.asked += len(rows)
        return self.change(original(pd.DataFrame(rows)))


def original(frame: pd.DataFrame) -> Predictions:
    yes = frame["x"].to_numpy()
    labels = np.where(yes > 0.5, "yes", "no").astype(object)
    return Predictions(labels, np.column_stack([1 - yes, yes]), ["no", "yes"])


def moved(by: float) -> Callable[[Predictions], Predictions]:
    def change(found: Predictions) -> Predictions:
        assert found.probabilities is not None
        return Predictions(found.values, found.probabilities + np.array([by, -by]), found.classes)

    return change


def relabelled(found: Predictions) -> Predictions:
    labels = found.values.copy()
    labels[0] = "other"
    return Predictions(labels, found.probabilities, found.classes)


def without_shares(found: Predictions) -> Predictions:
    return Predictions(found.values)


def broken(found: Predictions) -> Predictions:
    assert found.probabilities is not None
    return Predictions(found.values, found.probabilities * np.nan, found.classes)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (moved(0), ""),
        (moved(5e-4), ""),
        (moved(5e-3), "up to 0.005 from the original's; 0.001 is allowed"),
        (moved(0.03), "up to 0.03"),
        (relabelled, "On 3 of 250 rows its label was another"),
        (without_shares, "up to inf"),
        (broken, "up to inf"),
    ],
    ids=["same", "near", "off", "far", "labels", "without", "broken"],
)
def test_the_verdict_tells_what_differs(change: Callable[[Predictions], Predictions], reason: str) -> None:
    twin = Shifted(change)
    report = check_twin(twin, original, FRAME, X)  # type: ignore[arg-type]  # answers like a twin
    assert reason in report.reason
    assert bool(report.reason) == bool(reason)
    assert (report.rows, twin.asked) == (250, 250)


def test_the_tolerance_is_the_models() -> None:
    twin = Shifted(moved(5e-3))
    report = check_twin(twin, original, FRAME, X, tolerance=0.01)  # type: ignore[arg-type]
    assert (report.reason, report.tolerance) == ("", 0.01)
    assert report.difference == pytest.approx(5e-3)


def test_numbers_are_compared_as_shares_of_the_largest() -> None:
    def numbers(frame: pd.DataFrame) -> Predictions:
        return Predictions(frame["x"].to_numpy() * 1e6)

    class Near:
        def predict(self, rows: list[dict[str, float]]) -> Predictions:
            return Predictions(numbers(pd.DataFrame(rows)).values + 1)

    report = check_twin(Near(), numbers, FRAME.tail(50), X)  # type: ignore[arg-type]
    assert report.reason == ""
    assert report.difference == pytest.approx(1e-6)


def test_without_a_row_nothing_is_proven() -> None:
    report = check_twin(Shifted(moved(0)), original, FRAME.head(0), X)  # type: ignore[arg-type]
    assert "no row" in report.reason


def test_the_check_ends_in_time() -> None:
    long = pd.DataFrame({"x": np.zeros(MOST_ROWS * 2)})
    hurried = check_twin(Shifted(moved(0)), original, long, X, seconds=0)  # type: ignore[arg-type]
    assert 0 < hurried.rows < MOST_ROWS
    assert check_twin(Shifted(moved(0)), original, long, X).rows == MOST_ROWS  # type: ignore[arg-type]
