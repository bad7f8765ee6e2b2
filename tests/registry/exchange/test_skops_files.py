"""skops files: what is taken, what is refused, and trees that would read what is not theirs."""

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from registry.exchange.content import Refused
from registry.exchange.skops_files import dump_skops, open_skops

X, Y = load_breast_cancer(return_X_y=True, as_frame=True)
X, Y = X.iloc[:120, :6], Y.iloc[:120].map({0: "malignant", 1: "benign"}).astype("str")
NUMBERS = load_diabetes(return_X_y=True, as_frame=True)


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(max_iter=500),
        make_pipeline(SimpleImputer(), StandardScaler(), RandomForestClassifier(5, random_state=0)),
        GradientBoostingClassifier(n_estimators=5),
        HistGradientBoostingClassifier(max_iter=5),
        SVC(),
        CalibratedClassifierCV(LogisticRegression(max_iter=500), cv=2),
        DecisionTreeClassifier(),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_common_model_comes_back_and_answers_the_same(model: Any) -> None:
    fitted = model.fit(X, Y)
    again = open_skops(dump_skops(fitted))
    assert list(again.predict(X)) == list(fitted.predict(X))


@pytest.mark.parametrize(
    "model", [Ridge(), ExtraTreesRegressor(4), HistGradientBoostingRegressor(max_iter=4)]
)
def test_regressions_come_back(model: Any) -> None:
    fitted = model.fit(*NUMBERS)
    np.testing.assert_array_equal(
        open_skops(dump_skops(fitted)).predict(NUMBERS[0]), fitted.predict(NUMBERS[0])
    )


def test_categories_come_back() -> None:
    frame = pd.DataFrame({"town": ["a", "b", "a", "c"] * 5, "age": range(20)}).astype({"town": "str"})
    prepare = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["town"]), remainder="passthrough"
    )
    fitted = make_pipeline(prepare, LogisticRegression()).fit(frame, ["x", "y"] * 10)
    assert list(open_skops(dump_skops(fitted)).predict(frame)) == list(fitted.predict(frame))


def test_a_model_fitted_without_names_takes_tables() -> None:
    fitted = LogisticRegression(max_iter=500).fit(X.to_numpy(), Y)
    assert list(open_skops(dump_skops(fitted)).predict(X)) == list(fitted.predict(X.to_numpy()))


@pytest.mark.parametrize("function", [os.system, np.load, eval])
def test_a_function_outside_the_list_is_refused(function: Callable[..., Any]) -> None:
    fitted = make_pipeline(FunctionTransformer(), LogisticRegression(max_iter=500)).fit(X, Y)
    fitted.steps[0][1].func = function
    with pytest.raises(Refused, match=r"not on this platform's list"):
        open_skops(dump_skops(fitted))


def test_neighbours_in_a_tree_of_their_own_are_refused_with_a_way_out() -> None:
    with pytest.raises(Refused, match="ONNX"):
        open_skops(dump_skops(KNeighborsClassifier(algorithm="kd_tree").fit(X, Y)))
    brute = KNeighborsClassifier(algorithm="brute").fit(X, Y)
    assert list(open_skops(dump_skops(brute)).predict(X)) == list(brute.predict(X))


def test_what_cannot_predict_is_refused() -> None:
    with pytest.raises(Refused, match="cannot predict"):
        open_skops(dump_skops(StandardScaler().fit(X)))


def forest(change: Callable[[dict[str, Any]], None]) -> bytes:
    """A forest in whose first tree something was changed."""
    fitted = RandomForestClassifier(2, random_state=0).fit(X, Y)
    tree = fitted.estimators_[0].tree_
    state = tree.__getstate__()
    state["nodes"] = state["nodes"].copy()
    change(state)
    tree.__setstate__(state)
    return dump_skops(fitted)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda state: state["nodes"]["left_child"].__setitem__(0, 10_000_000), "outside"),
        (lambda state: state["nodes"]["right_child"].__setitem__(0, 0), "back|outside"),
        (lambda state: state["nodes"]["feature"].__setitem__(0, 5_000_000), "columns"),
        (lambda state: state["nodes"]["feature"].__setitem__(0, -7), "columns"),
    ],
    ids=["far", "back", "wide", "negative"],
)
def test_a_tree_that_leads_outside_is_refused(change: Callable[[dict[str, Any]], None], words: str) -> None:
    with pytest.raises(Refused, match=words):
        open_skops(forest(change))


def test_trees_of_other_widths_than_their_forest_are_refused() -> None:
    wide = RandomForestClassifier(2, random_state=0).fit(X, Y)
    wide.n_features_in_ = 3
    wide.feature_names_in_ = wide.feature_names_in_[:3]
    with pytest.raises(Refused, match="columns"):
        open_skops(dump_skops(wide))


def test_a_boosting_that_would_write_beside_its_answers_is_refused() -> None:
    boosted = GradientBoostingClassifier(n_estimators=4).fit(X, Y)
    boosted.estimators_ = boosted.estimators_.reshape(1, 4)
    with pytest.raises(Refused, match="number of trees"):
        open_skops(dump_skops(boosted))


def test_binned_trees_are_looked_through() -> None:
    boosted = HistGradientBoostingClassifier(max_iter=2).fit(X, Y)
    boosted._predictors[0][0].nodes["left"][0] = 4_000_000
    with pytest.raises(Refused, match="outside"):
        open_skops(dump_skops(boosted))


def test_support_vectors_that_are_not_there_are_refused() -> None:
    fitted = SVC().fit(X, Y)
    fitted._n_support = np.array([4_000, 4_000], dtype="int32")
    with pytest.raises(Refused, match="support vectors"):
        open_skops(dump_skops(fitted))


def test_a_cut_off_file_is_refused() -> None:
    data = dump_skops(LogisticRegression(max_iter=500).fit(X, Y))
    with pytest.raises(Refused, match="cannot be read"):
        open_skops(data[: len(data) // 2])
