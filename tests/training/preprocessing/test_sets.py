"""Categories that an algorithm splits into sets by itself."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from registry.inference.native import predict
from registry.problems import get_problem
from registry.tabular.schema import Column, ColumnType
from training.algorithms import get_algorithm, parse_params
from training.automl import TrialSpec, fit_pipeline
from training.preprocessing import build_pipeline, describe_pipeline, parse_preprocessing

ROWS = 600
COLUMNS = [
    Column("x", ColumnType.numeric, nullable=True),
    Column("town", ColumnType.category, nullable=True),
    Column("shop", ColumnType.category, nullable=True),
]
SETTERS = {"hist_gradient_boosting": "categorical_features", "lightgbm": "categorical_feature"}
RNG = np.random.default_rng(0)
TOWNS = [f"town {number:03}" for number in range(300)]
FRAME = pd.DataFrame(
    {
        "x": RNG.normal(size=ROWS),
        "town": pd.Series(TOWNS * 2, dtype="str"),
        "shop": pd.Series(RNG.choice(list("abcdefgh"), ROWS), dtype="str"),
    }
)
# Every other letter: no threshold on a number of the category tells them apart.
TARGET = pd.Series(np.where(FRAME["shop"].isin(list("aceg")), "yes", "no")).astype(object)


def pipeline(key: str, **options: Any) -> Any:
    algorithm = get_algorithm(key)
    chosen = parse_preprocessing(options)
    return build_pipeline(
        COLUMNS, algorithm, parse_params(algorithm, {}), 0, problem="classification", options=chosen
    )


@pytest.mark.parametrize(("key", "parameter"), SETTERS.items())
def test_the_algorithm_is_told_where_the_categories_are(key: str, parameter: str) -> None:
    made = pipeline(key)
    assert made["model"].get_params()[parameter] == [0, 1]
    made[:-1].fit(FRAME, TARGET)
    assert [name.split("__")[1] for name in made[:-1].get_feature_names_out()] == ["town", "shop", "x"]


@pytest.mark.parametrize("key", SETTERS)
@pytest.mark.parametrize("options", [{"encode": "ordinal"}, {"encode": "one_hot"}, {"select": "variance"}])
def test_another_encoding_or_a_selection_leaves_no_sets(key: str, options: dict[str, Any]) -> None:
    assert not isinstance(pipeline(key, **options)["model"].get_params().get(SETTERS[key]), list)


def test_rare_categories_are_kept_and_grouped_only_where_asked() -> None:
    codes = pipeline("lightgbm")[:-1].fit_transform(FRAME, TARGET)[:, 0]
    assert len(np.unique(codes)) == 250  # of 300: more than the histograms have bins for
    few = pipeline("lightgbm", max_categories=20)[:-1].fit_transform(FRAME, TARGET)[:, 0]
    assert len(np.unique(few)) == 20


@pytest.mark.parametrize("key", SETTERS)
def test_a_set_is_found_at_once_and_unknown_values_are_borne(key: str) -> None:
    spec = TrialSpec(key, {"max_iter" if key.startswith("hist") else "n_estimators": 5})
    problem = get_problem("classification")
    fitted = fit_pipeline(spec, FRAME, TARGET, COLUMNS, problem, 0)
    answers = predict(fitted, FRAME, ["no", "yes"])
    assert (answers.values == TARGET.to_numpy()).mean() > 0.99
    strange = FRAME[:3].assign(shop=pd.Series(["never seen", None, "a"], dtype="str"))
    assert len(predict(fitted, strange, ["no", "yes"])) == 3


def test_the_preparation_is_told_in_words() -> None:
    told = describe_pipeline(COLUMNS, get_algorithm("lightgbm"))
    assert "sets of values" in told[1]["treatment"]
