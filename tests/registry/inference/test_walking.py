"""Fitted models asked without their library's tables and checks: the same answers, number by number."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from registry.inference import light
from registry.inference.agreement import check_twin
from registry.inference.errors import NoTwin
from registry.inference.files import frame_rows
from registry.inference.native import predict
from registry.inference.trees import Grove, sklearn_tree
from registry.inference.twins import TwinReport
from registry.inference.walking import Walker
from registry.tabular.schema import Column, ColumnType

pytestmark = pytest.mark.any_database
ROWS = 300
RNG = np.random.default_rng(0)
NUMBERS = pd.DataFrame({name: RNG.exponential(size=ROWS).round(2) for name in ("a", "b", "c", "d")})
GAPS = NUMBERS.mask(RNG.random(NUMBERS.shape) < 0.1)
MIXED = NUMBERS.assign(ward=pd.Series(RNG.choice(["north", "south", "west"], ROWS), dtype="str"))
TWO = pd.Series(np.where(NUMBERS["a"] + NUMBERS["b"] > 2, "yes", "no"), dtype=object)
THREE = pd.Series(np.digitize(NUMBERS["a"] - NUMBERS["c"], [-0.5, 0.5]), dtype="int64").map("k{}".format)
NUMBER = NUMBERS["a"] * 3 + NUMBERS["b"] ** 2

NAIVE = ("naive", GaussianNB())

CLASSIFIERS: dict[str, Any] = {
    "tree": lambda: DecisionTreeClassifier(random_state=0),
    "forest": lambda: RandomForestClassifier(10, random_state=0),
    "extra trees": lambda: ExtraTreesClassifier(10, random_state=0),
    "boosting": lambda: GradientBoostingClassifier(n_estimators=5, random_state=0),
    "boosting from nothing": lambda: GradientBoostingClassifier(n_estimators=5, init="zero"),
    "boosting from a model": lambda: GradientBoostingClassifier(n_estimators=3, init=LogisticRegression()),
    "binned boosting": lambda: HistGradientBoostingClassifier(max_iter=5),
    "logistic": LogisticRegression,
    "bell curves": GaussianNB,
    "vote": lambda: VotingClassifier(
        [("forest", RandomForestClassifier(5, random_state=0)), ("near", KNeighborsClassifier())],
        voting="soft",
        weights=[2, 1],
    ),
    "show of hands": lambda: VotingClassifier(
        [("tree", DecisionTreeClassifier(max_depth=3)), ("near", KNeighborsClassifier()), NAIVE]
    ),
    "stack": lambda: StackingClassifier(
        [("steps", make_pipeline(MinMaxScaler(), DecisionTreeClassifier(max_depth=3))), NAIVE],
        passthrough=True,
        cv=2,
    ),
    "bag": lambda: BaggingClassifier(DecisionTreeClassifier(max_depth=3), 3, random_state=0),
}  # fmt: skip
REGRESSORS: dict[str, Any] = {
    "tree": lambda: DecisionTreeRegressor(random_state=0),
    "forest": lambda: RandomForestRegressor(10, random_state=0),
    "extra trees": lambda: ExtraTreesRegressor(10, random_state=0),
    "boosting": lambda: GradientBoostingRegressor(n_estimators=5, random_state=0),
    "binned boosting": lambda: HistGradientBoostingRegressor(max_iter=5),
    "binned counts": lambda: HistGradientBoostingRegressor(loss="poisson", max_iter=5),
    "linear": LinearRegression,
    "near": KNeighborsRegressor,
    "vote": lambda: VotingRegressor(
        [("forest", RandomForestRegressor(5, random_state=0)), ("near", KNeighborsRegressor())]
    ),
    "stack": lambda: StackingRegressor([("tree", DecisionTreeRegressor()), ("line", Ridge())], cv=2),
    "moved": lambda: TransformedTargetRegressor(
        RandomForestRegressor(5, random_state=0), transformer=StandardScaler()
    ),
}  # fmt: skip
STEPS: dict[str, Any] = {
    "bare": list,
    "scaled": lambda: [StandardScaler()],
    "a function first": lambda: [FunctionTransformer(np.log1p), StandardScaler()],
    "chosen": lambda: [StandardScaler(), SelectKBest(k=2)],
    "another scale": lambda: [MinMaxScaler()],
    "a table of its own": lambda: [
        FunctionTransformer(lambda frame: frame.assign(sum=frame["a"] + frame["b"]))
    ],
}


def columns_of(frame: pd.DataFrame) -> list[Column]:
    kinds = {
        name: ColumnType.numeric if frame[name].dtype == float else ColumnType.category for name in frame
    }
    return [Column(str(name), kind, nullable=True) for name, kind in kinds.items()]


def compared(model: Any, frame: pd.DataFrame, target: "pd.Series[Any]") -> TwinReport:
    """How far the fitted model's walker agrees with it, on rows that it has and has not seen."""
    fitted = model.fit(frame.head(200), target.head(200))
    classes = [str(label) for label in fitted.classes_] if hasattr(fitted, "classes_") else None
    columns = columns_of(frame)
    walker = Walker(fitted, columns, classes)
    report = check_twin(walker, lambda part: predict(fitted, part, classes), frame, columns, tolerance=1e-12)
    alone = [walker.predict([row]) for row in frame_rows(frame.head(20), columns)]
    together = predict(fitted, frame.head(20), classes)
    assert [one.values[0] for one in alone] == pytest.approx(together.values.tolist())
    return report


@pytest.mark.parametrize("target", [TWO, THREE], ids=["two", "three"])
@pytest.mark.parametrize("key", CLASSIFIERS)
def test_a_classifier_is_walked_to_the_same_answers(key: str, target: "pd.Series[Any]") -> None:
    report = compared(make_pipeline(StandardScaler(), CLASSIFIERS[key]()), NUMBERS, target)
    assert (report.reason, report.rows, report.labels) == ("", ROWS, 0)


@pytest.mark.parametrize("key", REGRESSORS)
def test_a_regressor_is_walked_to_the_same_answers(key: str) -> None:
    report = compared(make_pipeline(StandardScaler(), REGRESSORS[key]()), NUMBERS, NUMBER)
    assert (report.reason, report.rows) == ("", ROWS)


@pytest.mark.parametrize("key", STEPS)
def test_what_stands_before_is_walked_too(key: str) -> None:
    vote = VotingClassifier([("tree", DecisionTreeClassifier()), ("nb", GaussianNB())], voting="soft")
    report = compared(make_pipeline(*STEPS[key](), vote), NUMBERS, TWO)
    assert (report.reason, report.rows) == ("", ROWS)


def test_a_vote_over_whole_pipelines_is_walked() -> None:
    inputs = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), list(NUMBERS)), (OneHotEncoder(), ["ward"])
    )
    members = [
        ("forest", make_pipeline(inputs, RandomForestClassifier(5, random_state=0))),
        (
            "near",
            make_pipeline(make_column_transformer((StandardScaler(), ["a", "b"])), KNeighborsClassifier()),
        ),
    ]
    report = compared(VotingClassifier(members, voting="soft"), MIXED, TWO)
    assert (report.reason, report.rows) == ("", ROWS)


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(),
        RandomForestClassifier(5, random_state=0),
        HistGradientBoostingClassifier(max_iter=5),
        make_pipeline(SimpleImputer(), GaussianNB()),
    ],
    ids=lambda model: type(model).__name__,
)
def test_missing_values_go_where_they_went_in_training(model: Any) -> None:
    assert compared(model, GAPS, TWO).reason == ""


def test_what_takes_no_missing_value_refuses_it_as_ever() -> None:
    fitted = GradientBoostingClassifier(n_estimators=2).fit(NUMBERS, TWO)
    walker = Walker(fitted, columns_of(NUMBERS), ["no", "yes"])
    with pytest.raises(ValueError, match="NaN"):
        walker.predict([{"a": 1.0, "b": None, "c": 1.0, "d": 0.0}])


def test_values_that_differ_beyond_32_bits_fall_as_in_the_library() -> None:
    frame = pd.DataFrame({"x": np.float64(16_777_216.0) + np.arange(8)})
    target = pd.Series(["no", "yes"] * 4, dtype=object)
    fitted = DecisionTreeClassifier().fit(frame, target)
    walker = Walker(fitted, columns_of(frame), ["no", "yes"])
    found = walker.predict([{"x": value} for value in frame["x"]]).values.tolist()
    assert found == fitted.predict(frame).tolist()


def test_known_models_have_stand_ins_and_others_are_themselves() -> None:
    near = KNeighborsClassifier().fit(NUMBERS, TWO)
    assert light.light_estimator(near) is near
    deep = RandomForestRegressor(2).fit(NUMBERS, pd.DataFrame({"one": NUMBER, "two": NUMBER}))
    assert light.light_estimator(deep) is deep
    forest = RandomForestClassifier(2).fit(NUMBERS, TWO)
    assert isinstance(light.light_estimator(forest), light.LightClassifier)


def test_the_original_is_left_as_it_is() -> None:
    vote = VotingClassifier([("tree", DecisionTreeClassifier())], voting="soft").fit(NUMBERS, TWO)
    before = list(vote.estimators_)
    Walker(vote, columns_of(NUMBERS), ["no", "yes"])
    assert vote.estimators_ == before


def test_what_predicts_nothing_is_not_walked() -> None:
    fitted = make_pipeline(StandardScaler(), KMeans(2, n_init=1)).fit(NUMBERS)
    fitted[-1].assign = lambda points: points
    with pytest.raises(NoTwin, match="predicts nothing"):
        Walker(fitted, columns_of(NUMBERS), None)


def test_a_tree_of_one_leaf_answers() -> None:
    stump = DecisionTreeRegressor().fit([[1.0], [2.0]], [3.0, 3.0])
    grove = Grove([sklearn_tree(stump.tree_, stump.tree_.value[:, 0, :])])
    assert grove.sums(np.array([[5.0], [np.nan]])).tolist() == [[3.0], [3.0]]
