"""Cohen's kappa against scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from feedback.statistics.agreement import cohen_kappa, numbers_agree


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("noise", [0.0, 0.2, 0.9])
def test_kappa_is_that_of_scikit_learn(classes: int, noise: float) -> None:
    rng = np.random.default_rng(classes)
    for rows in (5, 40, 1000):
        first = rng.integers(classes, size=rows).astype(str)
        other = rng.integers(classes, size=rows).astype(str)
        second = np.where(rng.random(rows) < noise, other, first)
        kappa = cohen_kappa(first.tolist(), second.tolist())
        assert kappa == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)


def test_kappa_of_opposite_raters_is_minus_one() -> None:
    assert cohen_kappa(["a", "b"], ["b", "a"]) == -1.0


@pytest.mark.parametrize("labels", [[], ["a"], ["a", "a", "a"]])
def test_kappa_is_not_defined_where_chance_explains_everything(labels: list[str]) -> None:
    assert cohen_kappa(labels, labels) is None


def test_raters_of_different_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="2 labels cannot be held against 1"):
        cohen_kappa(["a", "b"], ["a"])


@pytest.mark.parametrize(
    ("one", "other", "agree"), [(10, 9, True), (10, 8.9, False), (-10, -9, True), (0, 0, True), (0, 1, False)]
)
def test_numbers_agree_within_a_tenth(one: float, other: float, agree: bool) -> None:
    assert numbers_agree(one, other, 0.1) is agree
