"""A learning curve asks for more and more rows, and leaves out what cannot be learnt from."""

import numpy as np

from training.evaluation.learning import learning_curve


def test_each_point_learns_from_more_of_the_same_rows() -> None:
    asked: list[np.ndarray] = []

    def score_after(rows: np.ndarray) -> float:
        asked.append(rows)
        return len(rows) / 1000

    points = learning_curve(score_after, np.arange(1000), 1.0, seed=0)
    assert [point.rows for point in points] == [100, 250, 500, 1000]
    assert [point.score for point in points] == [0.1, 0.25, 0.5, 1.0]
    assert set(asked[0]) < set(asked[1]) < set(asked[2])


def test_too_few_rows_and_failed_fits_are_left_out() -> None:
    def only_large(rows: np.ndarray) -> float:
        if len(rows) < 100:
            raise ValueError("one class")
        return 0.5

    assert [point.rows for point in learning_curve(only_large, np.arange(200), 0.6, seed=0)] == [100, 200]
    assert learning_curve(only_large, np.arange(50), 0.6, seed=0) == []
