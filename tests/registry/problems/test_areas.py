"""Areas under curves for many weightings at once are scikit-learn's, ties and unknown classes included."""

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from registry.problems.areas import macro_areas, rankings

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def rows(seed: int, n: int, k: int, steps: int) -> tuple[Floats, Flags]:
    """Return probabilities, with ties where there are few steps, and which class each row is of."""
    rng = np.random.default_rng(seed)
    raw = np.ceil(rng.random((n, k)) * steps)
    chances = raw / raw.sum(axis=1, keepdims=True)
    if k == 2:
        chances[:, 0] = 1 - chances[:, 1]
    return chances, np.eye(k, dtype=bool)[rng.integers(0, k, n)]


def expected(chances: Floats, is_class: Flags, weights: Floats | None = None) -> dict[str, float]:
    columns = range(chances.shape[1])
    pairs = [(is_class[:, i], chances[:, i]) for i in columns]
    return {
        "roc_auc": float(np.mean([roc_auc_score(*pair, sample_weight=weights) for pair in pairs])),
        "average_precision": float(
            np.mean([average_precision_score(*pair, sample_weight=weights) for pair in pairs])
        ),
    }


@pytest.mark.parametrize("steps", [2, 20, 10**9], ids=["many ties", "some ties", "no ties"])
@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize("seed", range(3))
def test_areas_are_scikit_learns(seed: int, k: int, steps: int) -> None:
    chances, is_class = rows(seed, 120, k, steps)
    found = macro_areas(rankings(chances, is_class), np.ones((1, 120)))
    assert {name: values[0] for name, values in found.items()} == pytest.approx(expected(chances, is_class))


@pytest.mark.parametrize("steps", [3, 10**9], ids=["ties", "no ties"])
@pytest.mark.parametrize("k", [2, 4])
def test_each_line_of_weights_counts_its_rows_as_scikit_learn_does(k: int, steps: int) -> None:
    chances, is_class = rows(7, 80, k, steps)
    weights = np.random.default_rng(1).integers(0, 4, (12, 80)).astype("float64")
    found = macro_areas(rankings(chances, is_class), weights)
    for line, drawn in enumerate(weights):
        wanted = expected(chances, is_class, drawn)
        assert {name: found[name][line] for name in found} == pytest.approx(wanted)


def test_of_two_classes_one_ranking_tells_both() -> None:
    chances, is_class = rows(2, 50, 2, 10**9)
    assert [one.mirrored for one in rankings(chances, is_class)] == [True]
    unknown = is_class.copy()
    unknown[0] = False  # a row whose class the model does not know is on neither side
    assert [one.mirrored for one in rankings(chances, unknown)] == [False, False]
    assert [one.mirrored for one in rankings(chances * 0.9, is_class)] == [False, False]


def test_a_row_of_no_known_class_counts_against_every_class() -> None:
    chances, is_class = rows(3, 60, 2, 10**9)
    is_class[:10] = False
    found = macro_areas(rankings(chances, is_class), np.ones((1, 60)))
    assert {name: values[0] for name, values in found.items()} == pytest.approx(expected(chances, is_class))


def test_a_perfect_order_has_the_whole_area_and_the_reverse_none() -> None:
    chances = np.column_stack([1 - np.linspace(0, 1, 10), np.linspace(0, 1, 10)])
    above = np.arange(10) >= 5
    perfect = macro_areas(rankings(chances, np.column_stack([~above, above])), np.ones((1, 10)))
    assert [values[0] for values in perfect.values()] == pytest.approx([1.0, 1.0])
    reverse = macro_areas(rankings(chances, np.column_stack([above, ~above])), np.ones((1, 10)))
    assert reverse["roc_auc"][0] == pytest.approx(0.0)


def test_equal_probabilities_are_worth_a_coin() -> None:
    is_class = np.eye(2, dtype=bool)[[0, 1, 1, 0, 1]]
    found = macro_areas(rankings(np.full((5, 2), 0.5), is_class), np.ones((1, 5)))
    assert found["roc_auc"][0] == pytest.approx(0.5)
    assert found["average_precision"][0] == pytest.approx((0.4 + 0.6) / 2)


@pytest.mark.parametrize("k", [2, 3])
def test_a_class_that_no_row_or_every_row_is_of_has_no_area(k: int) -> None:
    chances, _ = rows(4, 20, k, 10**9)
    all_first = np.eye(k, dtype=bool)[np.zeros(20, dtype=int)]
    found = macro_areas(rankings(chances, all_first), np.ones((1, 20)))
    assert all(np.isnan(values).all() for values in found.values())


def test_a_line_that_drew_one_class_alone_is_undefined_and_the_others_are_not() -> None:
    chances, is_class = rows(5, 30, 2, 10**9)
    weights = np.vstack([np.ones(30), is_class[:, 1].astype("float64")])
    found = macro_areas(rankings(chances, is_class), weights)
    assert [bool(np.isfinite(values[0])) for values in found.values()] == [True, True]
    assert [bool(np.isnan(values[1])) for values in found.values()] == [True, True]
