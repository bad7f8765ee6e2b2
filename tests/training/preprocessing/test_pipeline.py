import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer

from registry.tabular.schema import Column, ColumnType
from training.algorithms import ALGORITHMS, get_algorithm, parse_params
from training.preprocessing import NoUsableColumns, build_pipeline, describe_pipeline
from training.preprocessing.numbers import median
from training.preprocessing.words import WordWeights


def inputs(algorithm: str, frame: pd.DataFrame, *columns: Column) -> dict[str, list[float]]:
    chosen = get_algorithm(algorithm)
    pipeline = build_pipeline(columns, chosen, parse_params(chosen, {}), 0, problem="classification")
    step = pipeline["preprocess"]
    values = step.fit_transform(frame)
    return {name: values[:, i].tolist() for i, name in enumerate(step.get_feature_names_out())}


def column(name: str, kind: ColumnType) -> Column:
    return Column(name, kind, nullable=True)


def test_missing_numbers_are_filled_with_the_median_and_marked() -> None:
    found = inputs(
        "decision_tree", pd.DataFrame({"a": [1.0, 3.0, 9.0, np.nan]}), column("a", ColumnType.numeric)
    )
    assert found == {"numbers__a": [1, 3, 9, 3], "numbers__missingindicator_a": [0, 0, 0, 1]}


def test_numbers_are_scaled_where_the_algorithm_needs_it() -> None:
    found = inputs("logistic_regression", pd.DataFrame({"a": [10.0, 30.0]}), column("a", ColumnType.integer))
    assert found == {"numbers__a": [-1, 1]}


def test_boosting_sees_missing_values_as_they_are() -> None:
    found = inputs(
        "hist_gradient_boosting", pd.DataFrame({"a": [1.0, np.nan]}), column("a", ColumnType.numeric)
    )
    assert np.isnan(found["numbers__a"][1])


def test_categories_get_an_input_each_with_missing_as_one() -> None:
    frame = pd.DataFrame({"c": pd.Series(["x", "y", None], dtype="str")})
    found = inputs("logistic_regression", frame, column("c", ColumnType.category))
    assert found == {
        "categories__c_missing": [0, 0, 1],
        "categories__c_x": [1, 0, 0],
        "categories__c_y": [0, 1, 0],
    }


def test_trees_get_numbered_categories() -> None:
    frame = pd.DataFrame({"c": pd.Series(["x", "y", "x"], dtype="str")})
    assert inputs("random_forest", frame, column("c", ColumnType.category)) == {"categories__c": [0, 1, 0]}


def test_at_most_fifty_inputs_come_from_one_category_column() -> None:
    frame = pd.DataFrame({"c": pd.Series([f"v{i % 90}" for i in range(900)], dtype="str")})
    assert len(inputs("logistic_regression", frame, column("c", ColumnType.category))) == 50


def test_identifiers_and_ignored_columns_are_not_used() -> None:
    columns = [column("a", ColumnType.identifier), column("b", ColumnType.ignored)]
    with pytest.raises(NoUsableColumns, match="another type"):
        inputs("dummy", pd.DataFrame({"a": ["x"], "b": ["y"]}), *columns)


def test_words_are_weighed_in_lower_case() -> None:
    frame = pd.DataFrame({"t": pd.Series(["Strong PAIN", "no pain", None], dtype="str")})
    weights = WordWeights().fit(frame)
    assert weights.get_feature_names_out().tolist() == ["t_no", "t_pain", "t_strong"]
    values = weights.transform(frame)
    assert values[0, 2] > values[0, 1] > 0
    assert values[2].tolist() == [0, 0, 0]


@pytest.mark.parametrize("key", list(ALGORITHMS))
def test_every_treatment_is_told_in_words(key: str) -> None:
    columns = [column(kind.value, kind) for kind in ColumnType]
    told = describe_pipeline(columns, get_algorithm(key))
    assert [item["column"] for item in told] == [kind.value for kind in ColumnType]
    assert all(item["treatment"] for item in told)


def test_the_words_follow_the_algorithm() -> None:
    columns = [column("a", ColumnType.numeric)]
    assert "median" in describe_pipeline(columns, get_algorithm("ridge"))[0]["treatment"]
    assert "scaled" in describe_pipeline(columns, get_algorithm("ridge"))[0]["treatment"]
    assert "as it is" in describe_pipeline(columns, get_algorithm("hist_gradient_boosting"))[0]["treatment"]


@pytest.mark.parametrize("gaps", [0.0, 0.1, 0.9])
def test_gaps_are_filled_with_the_median_that_scikit_learn_would_take(gaps: float) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(61, 4))
    values[rng.random((61, 4)) < gaps] = np.nan
    values[:, 3] = np.nan  # a column without any value is zeros
    ours = SimpleImputer(strategy=median, add_indicator=True, keep_empty_features=True).fit(values)
    theirs = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True).fit(values)
    assert ours.statistics_.tolist() == theirs.statistics_.tolist()
    assert ours.transform(values).tolist() == theirs.transform(values).tolist()
