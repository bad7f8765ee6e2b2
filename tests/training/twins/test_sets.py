"""Twins of trees that split categories by sets."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from registry.inference.native import predict
from registry.inference.schema import rows_frame
from registry.inference.twins import open_twin
from registry.problems import get_problem
from registry.tabular.schema import Column, ColumnType
from training.automl import TrialSpec, fit_pipeline
from training.twins import make_twin

ROWS = 500
COLUMNS = [
    Column("dose", ColumnType.numeric, nullable=True),
    Column("ward", ColumnType.category, nullable=True),
    Column("street", ColumnType.category, nullable=True),
]
RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "dose": RNG.normal(size=ROWS),
        "ward": pd.Series(RNG.choice([*"abcdef", None], ROWS), dtype="str"),
        "street": pd.Series(RNG.choice([f"street {number}" for number in range(90)], ROWS), dtype="str"),
    }
)
SIGNAL = FRAME["dose"] + 2 * FRAME["ward"].isin(["a", "d", "f"]) + FRAME["street"].str.len().mod(2)
TARGETS = {
    "classification": (SIGNAL > 1.2).map({True: "yes", False: "no"}).astype(object),
    "regression": SIGNAL,
}
ROUNDS = {"hist_gradient_boosting": "max_iter", "lightgbm": "n_estimators"}


def asked() -> list[dict[str, Any]]:
    """Rows as a client sends them, some with values that the training did not see."""
    rows = [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in FRAME.astype(object).to_dict("records")
    ]
    rows[0]["ward"], rows[1]["street"], rows[2]["dose"] = "never seen", None, None
    return rows


@pytest.mark.parametrize("key", ROUNDS)
@pytest.mark.parametrize("problem", TARGETS)
@pytest.mark.parametrize("options", [{}, {"balance": "under"}])
def test_the_twin_of_a_model_with_sets_answers_alike(key: str, problem: str, options: dict[str, str]) -> None:
    if options and problem == "regression":
        options = {"reshape_target": "power"}
    spec = TrialSpec(key, {ROUNDS[key]: 20}, options)
    model = fit_pipeline(spec, FRAME, TARGETS[problem], COLUMNS, get_problem(problem), 0)
    classes = [str(one) for one in model.classes_] if problem == "classification" else None
    found = open_twin(make_twin(model, classes)).predict(asked())
    expected = predict(model, rows_frame(asked(), COLUMNS), classes)
    if problem == "regression":
        np.testing.assert_allclose(found.values.astype("float64"), expected.values, rtol=1e-9)
    else:
        assert (found.values == expected.values).all()
        assert found.probabilities is not None
        assert expected.probabilities is not None
        assert np.abs(found.probabilities - expected.probabilities).max() < 1e-9
