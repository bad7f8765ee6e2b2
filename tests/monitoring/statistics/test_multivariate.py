"""Columns that move together while each alone looks as before."""

import numpy as np
import pandas as pd
import pytest

from monitoring.statistics.multivariate import domain_classifier, reconstruction


def linked(rows: int, seed: int, correlation: float) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    cov = [[1.0, correlation], [correlation, 1.0]]
    values = rng.multivariate_normal([0, 0], cov, size=rows)
    kind = np.where(rng.uniform(size=rows) < 0.5, "a", "b")
    return pd.DataFrame({"x": values[:, 0], "y": values[:, 1], "kind": kind})


def test_a_vanished_correlation_is_seen_by_both() -> None:
    before, after = linked(800, 0, 0.95), linked(800, 1, -0.95)
    told_apart = domain_classifier(before, after)
    assert told_apart.area > 0.8
    assert told_apart.p_value < 1e-6
    assert reconstruction(before, after).p_value < 1e-3


def test_equal_rows_cannot_be_told_apart() -> None:
    before, after = linked(800, 0, 0.9), linked(800, 1, 0.9)
    told_apart = domain_classifier(before, after)
    assert told_apart.area < 0.55
    assert told_apart.p_value > 0.01
    assert reconstruction(before, after).p_value > 0.01


def test_missing_values_and_many_categories_are_borne() -> None:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(
        {
            "x": np.where(rng.uniform(size=400) < 0.3, np.nan, 1.0),
            "name": [f"name {i}" for i in range(400)],
            "empty": np.full(400, np.nan),
        }
    )
    assert domain_classifier(frame[:200], frame[200:]).p_value >= 0
    assert reconstruction(frame[:200], frame[200:]).reference >= 0


def test_frames_that_cannot_be_compared_are_refused() -> None:
    one = linked(10, 0, 0)
    with pytest.raises(ValueError, match="same columns"):
        domain_classifier(one, one.drop(columns="kind"))
    with pytest.raises(ValueError, match="5 rows"):
        domain_classifier(one, one[:2])
    with pytest.raises(ValueError, match="four rows"):
        reconstruction(one[:3], one)
