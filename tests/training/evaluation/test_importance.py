import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression

from registry.problems import get_problem
from training.evaluation import permutation_importance
from training.evaluation.importance import MAX_ROWS


def test_the_column_that_decides_comes_first_and_noise_counts_nothing() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(MAX_ROWS + 500, 3)), columns=["noise", "weak", "strong"])
    target = 5 * frame["strong"] + frame["weak"]
    model = LinearRegression().fit(frame, target)
    untouched = frame.copy()
    ranked = permutation_importance(model, frame, target.to_numpy(), get_problem("regression"), repeats=3)
    assert [item["feature"] for item in ranked] == ["strong", "weak", "noise"]
    assert ranked[0]["mean"] > 1
    assert abs(ranked[2]["mean"]) < 1e-9
    pd.testing.assert_frame_equal(frame, untouched)
