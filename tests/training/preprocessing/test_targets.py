"""A number to predict on a bent scale."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from training.preprocessing.targets import BentTarget

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 3))
PRICE = np.exp(1.5 * X[:, 0] + 0.5 * X[:, 1] + RNG.normal(scale=0.2, size=400))


def error(model: Any, rows: slice) -> float:
    return float(np.abs(np.log(np.maximum(model.predict(X[rows]), 1e-3) / PRICE[rows])).mean())


def test_a_long_tail_is_learnt_better_on_a_bent_scale() -> None:
    plain = LinearRegression().fit(X[:300], PRICE[:300])
    bent = BentTarget(LinearRegression()).fit(X[:300], PRICE[:300])
    assert error(bent, slice(300, None)) < 0.5 * error(plain, slice(300, None))


def test_answers_stay_within_the_values_seen() -> None:
    bent = BentTarget(LinearRegression()).fit(X, PRICE)
    far = bent.predict(np.array([[50.0, 50.0, 0.0], [-50.0, -50.0, 0.0]]))
    assert np.isfinite(far).all()
    assert far == pytest.approx([PRICE.max(), PRICE.min()])


def test_numbers_below_zero_may_be_bent_too() -> None:
    target = -PRICE
    bent = BentTarget(LinearRegression()).fit(X, target)
    assert pd.Series(bent.predict(X)).corr(pd.Series(target), method="spearman") > 0.9


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_a_constant_target_is_answered(value: float) -> None:
    bent = BentTarget(LinearRegression()).fit(X, np.full(400, value))
    assert bent.predict(X[:3]) == pytest.approx([value] * 3, abs=1e-6)
