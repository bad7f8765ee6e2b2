"""What a job may choose about its inputs."""

import numpy as np
import pandas as pd
import pytest

from registry.tabular.schema import Column, ColumnType
from training.algorithms import get_algorithm, parse_params
from training.preprocessing import (
    InvalidPreprocessing,
    Preprocessing,
    build_pipeline,
    check_fits,
    describe_options,
    parse_preprocessing,
    plain,
)
from training.preprocessing.balance import Balanced, drawn_rows

A, B, C = (
    Column("a", ColumnType.numeric, nullable=True),
    Column("b", ColumnType.numeric, nullable=True),
    Column("c", ColumnType.category, nullable=True),
)
RNG = np.random.default_rng(0)
FRAME = pd.DataFrame(
    {
        "a": RNG.normal(size=60),
        "b": np.where(RNG.uniform(size=60) < 0.2, np.nan, RNG.normal(size=60)),
        "c": pd.Series(RNG.choice(["x", "y", "z"], 60), dtype="str"),
    }
)
LABELS = np.where(FRAME["a"] + RNG.normal(scale=0.1, size=60) > 0.5, "yes", "no").astype(object)


def inputs(algorithm: str, problem: str = "classification", **options: object) -> pd.DataFrame:
    chosen = get_algorithm(algorithm)
    pipeline = build_pipeline(
        [A, B, C],
        chosen,
        parse_params(chosen, {}),
        0,
        problem=problem,
        options=parse_preprocessing(options),
    )
    target = LABELS if problem == "classification" else FRAME["a"].to_numpy()
    values = pipeline[:-1].fit_transform(FRAME, target)
    return pd.DataFrame(values, columns=pipeline[:-1].get_feature_names_out())


def test_numbers_may_be_scaled_by_rank_with_the_marks_left_alone() -> None:
    found = inputs("ridge", "regression", scale="quantile", encode="ordinal")
    assert found["numbers__a"].abs().max() > 4  # the ends of a bell curve
    assert abs(found["numbers__a"].median()) < 0.1
    assert set(found["missing__missingindicator_b"]) == {0, 1}


def test_outliers_do_not_decide_a_robust_scale() -> None:
    found = inputs("logistic_regression", scale="robust", indicators=False)
    assert found["numbers__a"].quantile(0.75) - found["numbers__a"].quantile(0.25) == pytest.approx(1)
    assert not [name for name in found if "missing" in str(name)]


def test_a_target_code_never_reads_its_own_row() -> None:
    unique = FRAME.assign(c=[f"v{place}" for place in range(60)])
    chosen = get_algorithm("lightgbm")
    pipeline = build_pipeline(
        [C], chosen, parse_params(chosen, {}), 0, problem="regression", options=Preprocessing(encode="target")
    )
    target = np.arange(60.0)
    codes = pipeline["preprocess"].fit_transform(unique, target)[:, 0]
    assert len(np.unique(codes)) <= 5  # each unseen category gets the mean of the other folds' rows
    assert abs(np.corrcoef(codes, target)[0, 1]) < 0.9


def test_a_target_of_whole_numbers_is_a_number_all_the_same() -> None:
    chosen = get_algorithm("ridge")
    pipeline = build_pipeline(
        [C], chosen, parse_params(chosen, {}), 0, problem="regression", options=Preprocessing(encode="target")
    )
    assert pipeline["preprocess"].fit_transform(FRAME, np.arange(60.0) % 4).shape == (60, 1)


@pytest.mark.parametrize(("select", "kept"), [("k_best", 2), ("model", 2), ("variance", 5)])
def test_inputs_are_selected(select: str, kept: int) -> None:
    found = inputs("hist_gradient_boosting", select=select, keep=0.4, encode="one_hot")
    assert len(found.columns) == kept
    assert "numbers__a" in found


def test_boosting_is_given_filled_numbers_where_that_is_asked_for() -> None:
    assert inputs("hist_gradient_boosting")["numbers__b"].isna().any()
    assert not inputs("hist_gradient_boosting", impute="mean")["numbers__b"].isna().any()


def test_drawn_classes_are_as_frequent() -> None:
    codes = np.array([0] * 8 + [1] * 2)
    over = drawn_rows(codes, np.array([8, 2]), over=True, seed=1)
    under = drawn_rows(codes, np.array([8, 2]), over=False, seed=1)
    assert np.bincount(codes[over]).tolist() == [8, 8]
    assert set(range(10)) == set(over.tolist())  # no row is lost
    assert np.bincount(codes[under]).tolist() == [2, 2]
    assert drawn_rows(codes, np.array([8, 2]), over=True, seed=1).tolist() == over.tolist()


@pytest.mark.parametrize("how", ["weights", "over", "under"])
def test_a_rare_class_is_found_more_often_once_balanced(how: str) -> None:
    rng = np.random.default_rng(1)
    labels = np.where(rng.uniform(size=400) < 0.1, "rare", "usual").astype(object)
    X = rng.normal(size=(400, 2)) + (labels == "rare")[:, None]
    chosen = get_algorithm("logistic_regression")
    plainly = chosen.build(chosen.params(), 0, "classification").fit(X, labels)
    balanced = Balanced(chosen.build(chosen.params(), 0, "classification"), how, 0).fit(X, labels)
    found = (balanced.predict(X)[labels == "rare"] == "rare").mean()
    assert found > (plainly.predict(X)[labels == "rare"] == "rare").mean() + 0.2
    assert balanced.predict_proba(X).shape == (400, 2)


def test_what_does_not_fit_is_refused_in_words() -> None:
    with pytest.raises(InvalidPreprocessing, match="magic"):
        parse_preprocessing({"encode": "magic"})
    with pytest.raises(InvalidPreprocessing, match="unknown field"):
        parse_preprocessing({"encoding": "target"})
    with pytest.raises(InvalidPreprocessing, match="for classes"):
        check_fits(Preprocessing(balance="over"), "regression")
    with pytest.raises(InvalidPreprocessing, match="cannot weigh rows"):
        check_fits(Preprocessing(balance="weights"), "classification", get_algorithm("knn"))
    check_fits(Preprocessing(balance="weights"), "classification", get_algorithm("xgboost"))


def test_only_what_differs_is_kept_and_told() -> None:
    assert plain(parse_preprocessing({"encode": "target", "scale": "auto"})) == {"encode": "target"}
    assert describe_options(Preprocessing()) == []
    told = describe_options(
        parse_preprocessing(
            {
                "impute": "mean",
                "indicators": False,
                "scale": "robust",
                "encode": "target",
                "select": "model",
                "balance": "over",
            }
        )
    )
    assert len(told) == 6
    assert "always taken from other rows" in told[3]
