import numpy as np
import pandas as pd
import pytest

from registry.problems import get_problem
from training.evaluation import TooFewRows, folds

CLASSIFICATION, REGRESSION = get_problem("classification"), get_problem("regression")


def test_every_row_is_tested_once() -> None:
    parts = folds(np.arange(23.0), REGRESSION, 5)
    assert sorted(np.concatenate([test for _, test in parts])) == list(range(23))
    assert all(not set(train) & set(test) for train, test in parts)


def test_classes_keep_their_share() -> None:
    y = pd.Series(["a"] * 80 + ["b"] * 20)
    assert all((y.iloc[test] == "b").sum() == 4 for _, test in folds(y, CLASSIFICATION, 5))


def test_a_rare_class_lowers_the_number_of_folds() -> None:
    assert len(folds(np.asarray(["a"] * 10 + ["b"] * 3), CLASSIFICATION, 5)) == 3


def test_the_seed_decides_the_folds() -> None:
    first, same, other = (folds(np.arange(30.0), REGRESSION, 3, seed)[0][1].tolist() for seed in (1, 1, 2))
    assert first == same != other


def test_a_class_of_one_row_is_refused() -> None:
    with pytest.raises(TooFewRows, match="of every class"):
        folds(np.asarray(["a"] * 10 + ["b"]), CLASSIFICATION)


def test_one_row_is_refused() -> None:
    with pytest.raises(TooFewRows):
        folds(np.asarray([1.0]), REGRESSION)
