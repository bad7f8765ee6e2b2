"""Whole models as twins: every way to prepare inputs, every wrapper, ensembles and decisions."""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import onnx
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import PolynomialFeatures, RobustScaler, StandardScaler

from registry.inference.agreement import check_twin
from registry.inference.native import predict
from registry.inference.recipe import Bell, Classes, Dates, Lookup, Numbers, Recipe, Words
from registry.inference.twins import RECIPE, TwinReport, open_twin
from registry.inference.walking import Walker
from registry.problems import get_problem
from registry.tabular.schema import Column, ColumnType
from training.automl import TrialSpec, fit_pipeline
from training.automl.deciding import Costs, Decision, Threshold, fit_decider
from training.automl.ensemble import StackingClassifier, StackingRegressor, VotingClassifier, VotingRegressor
from training.automl.fitting import DecidingClassifier
from training.twins import NoTwin, make_twin

ROWS = 240
COLUMNS = [
    Column("dose", ColumnType.numeric, nullable=True),
    Column("weight", ColumnType.integer, nullable=True),
    Column("constant", ColumnType.numeric, nullable=False),
    Column("smoker", ColumnType.boolean, nullable=True),
    Column("ward", ColumnType.category, nullable=True),
    Column("street", ColumnType.category, nullable=True),
    Column("seen", ColumnType.date, nullable=True),
    Column("notes", ColumnType.text, nullable=True),
]


def table() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    streets = [f"street {number}" for number in range(60)]
    words = ["calm", "tired", "pain", "fever", "well", "Ärger"]
    frame = pd.DataFrame(
        {
            "dose": np.exp(rng.normal(size=ROWS)),
            "weight": rng.integers(40, 120, ROWS).astype(float),
            "constant": 2.5,
            "smoker": rng.integers(0, 2, ROWS).astype(float),
            "ward": pd.Series(rng.choice(["a", "b", "ç"], ROWS), dtype="str"),
            "street": pd.Series(rng.choice(streets, ROWS, p=_falling(60)), dtype="str"),
            "seen": pd.Series(pd.date_range("2019-12-31 23:59:58", periods=ROWS, freq="31h")).astype(
                "datetime64[us]"
            ),
            "notes": pd.Series([" ".join(rng.choice(words, 4)) for _ in range(ROWS)], dtype="str"),
        }
    )
    for place, name in enumerate(("dose", "smoker", "ward", "street", "seen", "notes")):
        frame.loc[frame.sample(12, random_state=place).index, name] = None
    return frame


def _falling(count: int) -> Any:
    shares = 1 / np.arange(1, count + 1)
    return shares / shares.sum()


FRAME = table()
SIGNAL = FRAME["dose"].fillna(1) + (FRAME["ward"] == "a") - FRAME["weight"] / 80
TARGETS = {
    "classification": pd.cut(SIGNAL, [-9, -0.2, 0.6, 99], labels=["low", "middle", "high"]).astype(object),
    "regression": 1000 * SIGNAL,
}
YES_NO = (SIGNAL > 0.4).map({True: "yes", False: "no"}).astype(object)


def fit(spec: TrialSpec, problem: str = "classification", target: "pd.Series[Any] | None" = None) -> Any:
    truth = TARGETS[problem] if target is None else target
    return fit_pipeline(spec, FRAME, truth, COLUMNS, get_problem(problem), 0)


def compare(
    pipeline: Any, *, tolerance: float = 1e-9, columns: list[Column] = COLUMNS
) -> tuple[TwinReport, Recipe]:
    classes = [str(one) for one in pipeline.classes_] if hasattr(pipeline, "classes_") else None
    data = make_twin(pipeline, classes)
    rows = pd.concat([FRAME, FRAME.head(4).assign(ward="elsewhere", street="elsewhere", dose=1e6)])
    rows = rows[[column.name for column in columns]]
    report = check_twin(
        open_twin(data), lambda part: predict(pipeline, part, classes), rows, columns, tolerance=tolerance
    )
    told = {prop.key: prop.value for prop in onnx.load_from_string(data).metadata_props}[RECIPE]
    return report, msgspec.json.decode(told.encode(), type=Recipe)


PREPARATIONS: list[dict[str, Any]] = [
    {"impute": "mean", "scale": "robust"},
    {"impute": "most_frequent", "indicators": False},
    {"scale": "quantile"},
    {"scale": "quantile", "indicators": False, "impute": "mean"},
    {"encode": "ordinal"},
    {"encode": "target", "scale": "standard"},
    {"encode": "one_hot", "max_categories": 3},
    {"rare_share": 0.0},
    {"select": "variance"},
    {"select": "k_best", "keep": 0.3},
    {"select": "model", "keep": 0.4},
]


@pytest.mark.parametrize("problem", ["classification", "regression"])
@pytest.mark.parametrize("preparation", PREPARATIONS, ids=str)
def test_every_way_to_prepare_the_inputs_is_followed(preparation: dict[str, Any], problem: str) -> None:
    key = "logistic_regression" if problem == "classification" else "ridge"
    report, _ = compare(fit(TrialSpec(key, {}, preparation), problem))
    assert (report.reason, report.rows) == ("", ROWS + 4)


@pytest.mark.parametrize("key", ["hist_gradient_boosting", "lightgbm", "xgboost"])
def test_missing_numbers_reach_the_trees_that_take_them(key: str) -> None:
    report, recipe = compare(fit(TrialSpec(key, {})), tolerance=1e-5)
    assert report.reason == ""
    pieces = [part.pieces[0] for part in recipe.members[0].parts]
    (numbers,) = [piece for piece in pieces if isinstance(piece, Numbers)]
    assert numbers.fill == [None] * 4


@pytest.mark.parametrize("balance", ["weights", "over", "under"])
@pytest.mark.parametrize("key", ["random_forest", "xgboost", "svm"])
def test_balanced_classes_change_nothing_about_the_twin(key: str, balance: str) -> None:
    report, _ = compare(fit(TrialSpec(key, {}, {"balance": balance})), tolerance=1e-5)
    assert report.reason == ""


@pytest.mark.parametrize("key", ["svm", "mlp"])
def test_a_scaled_target_is_scaled_back(key: str) -> None:
    pipeline = fit(TrialSpec(key, {}), "regression")
    assert float(np.abs(predict(pipeline, FRAME, None).values).max()) > 100
    assert compare(pipeline)[0].reason == ""


@pytest.mark.parametrize("target", [TARGETS["classification"], YES_NO], ids=["three", "two"])
@pytest.mark.parametrize("calibrate", ["none", "isotonic", "sigmoid"])
def test_a_decision_is_part_of_the_twin(calibrate: Any, target: "pd.Series[Any]") -> None:
    inner = fit(TrialSpec("random_forest", {"n_estimators": 20}), target=target)
    classes = [str(one) for one in inner.classes_]
    found = predict(inner, FRAME, classes).probabilities
    assert found is not None
    threshold = Threshold(costs=Costs(positive="no", false_negative=9.0)) if len(classes) == 2 else None
    decider = fit_decider(
        found, target.to_numpy(), classes, Decision(calibrate=calibrate, threshold=threshold)
    )
    report, recipe = compare(DecidingClassifier(inner, decider))
    assert report.reason == ""
    assert isinstance(recipe.head, Classes)
    assert (recipe.head.threshold is None) == (threshold is None)


def test_an_ensemble_of_classifiers_is_one_twin() -> None:
    specs = [
        TrialSpec("random_forest", {"n_estimators": 15}),
        TrialSpec("logistic_regression", {}, {"scale": "quantile", "encode": "target"}),
        TrialSpec("hist_gradient_boosting", {"max_iter": 10}),
    ]
    members = [fit(spec) for spec in specs]
    voting = VotingClassifier(members, [0.5, 0.3, 0.2], sorted(set(TARGETS["classification"])))
    report, recipe = compare(voting)
    assert report.reason == ""
    assert (len(recipe.members), recipe.weights) == (3, [0.5, 0.3, 0.2])
    assert [member.rounded for member in recipe.members] == [True, False, False]


def test_a_stacked_ensemble_pools_its_members_logarithms() -> None:
    members = [fit(TrialSpec(key, {})) for key in ("decision_tree", "logistic_regression")]
    stacked = StackingClassifier(members, [0.9, 0.7], sorted(set(TARGETS["classification"])))
    report, recipe = compare(stacked)
    assert (report.reason, recipe.pooled) == ("", True)


@pytest.mark.parametrize(
    ("join", "weights"), [(VotingRegressor, [0.25, 0.75]), (StackingRegressor, [0.6, 0.7])]
)
def test_an_ensemble_of_regressions_is_one_twin(join: type[VotingRegressor], weights: list[float]) -> None:
    members = [fit(TrialSpec(key, {}), "regression") for key in ("ridge", "gradient_boosting")]
    assert compare(join(members, weights))[0].reason == ""


@pytest.mark.parametrize("key", ["ridge", "mlp"])
def test_a_bent_target_is_bent_back(key: str) -> None:
    report, _ = compare(fit(TrialSpec(key, {}, {"reshape_target": "power"}), "regression"))
    assert report.reason == ""


@pytest.mark.parametrize("shape", [0.0, 2.0, 0.7, -1.3, 3.1])
def test_every_shape_of_the_curve_is_bent_back(shape: float) -> None:
    pipeline = fit(TrialSpec("ridge", {}, {"reshape_target": "power"}), "regression")
    bent = pipeline.named_steps["model"]
    bent.curve_.lambdas_[:] = shape
    bent.curve_._scaler.mean_[:], bent.curve_._scaler.scale_[:] = 0.1, 0.05  # either branch, no overflow
    report, _ = compare(pipeline)
    assert report.reason == ""


@pytest.mark.parametrize("target", [TARGETS["classification"], YES_NO], ids=["three", "two"])
@pytest.mark.parametrize("kernel", ["rbf", "linear"])
def test_support_vectors_give_the_same_probabilities(kernel: str, target: "pd.Series[Any]") -> None:
    report, _ = compare(fit(TrialSpec("svm", {"kernel": kernel}), target=target))
    assert (report.reason, report.labels) == ("", 0)


def test_the_recipe_tells_of_each_kind_of_column() -> None:
    _, recipe = compare(fit(TrialSpec("logistic_regression", {}, {"scale": "quantile"})))
    pieces = [piece for part in recipe.members[0].parts for piece in part.pieces]
    assert {type(piece) for piece in pieces} >= {Lookup, Dates, Words}
    assert isinstance(recipe.members[0].parts[0].scale, Bell)
    assert len(next(piece for piece in pieces if isinstance(piece, Words)).vocabulary) == 6


@pytest.mark.parametrize(
    "steps",
    [[], [StandardScaler()], [SimpleImputer(add_indicator=True), RobustScaler()]],
    ids=["bare", "scaled", "filled"],
)
def test_a_pipeline_from_elsewhere_has_a_twin_where_its_steps_are_usual(steps: list[Any]) -> None:
    columns = [column for column in COLUMNS if column.name in {"dose", "weight", "constant"}]
    forest = RandomForestClassifier(3, random_state=0)
    fitted = make_pipeline(*steps, forest).fit(FRAME[[column.name for column in columns]], YES_NO)
    report, recipe = compare(fitted, columns=columns)
    assert (report.reason, report.rows) == ("", ROWS + 4)
    assert len(recipe.members[0].parts) == 1


def _own_steps() -> Pipeline:
    return make_pipeline(PolynomialFeatures(), LogisticRegression()).fit(
        FRAME[["weight", "constant"]], YES_NO
    )


def _changed_preparation() -> Any:
    pipeline = fit(TrialSpec("ridge", {}), "regression")
    pipeline.named_steps["preprocess"].transformers_[0] = ("numbers", PolynomialFeatures(), ["dose"])
    return pipeline


def _strangers() -> VotingClassifier:
    two, three = fit(TrialSpec("dummy", {}), target=YES_NO), fit(TrialSpec("dummy", {}))
    return VotingClassifier([three, two], [0.5, 0.5], [str(one) for one in three.classes_])


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_own_steps, "PolynomialFeatures cannot be expressed"),
        (_changed_preparation, "PolynomialFeatures cannot be expressed"),
        (_strangers, "do not know the same classes"),
        (lambda: fit(TrialSpec("knn", {})), "KNeighborsClassifier cannot be expressed"),
    ],
)
def test_what_cannot_be_expressed_is_said(make: Callable[[], Any], reason: str) -> None:
    pipeline = make()
    classes = [str(one) for one in pipeline.classes_] if hasattr(pipeline, "classes_") else None
    with pytest.raises(NoTwin, match=reason):
        make_twin(pipeline, classes)


def _with_a_neighbour(problem: str, kind: Any) -> Any:
    """An ensemble of which one member cannot be expressed."""
    forest = {"n_estimators": 5}
    specs = [TrialSpec("knn", {}), TrialSpec("random_forest", forest, {"encode": "target"})]
    members = [fit(spec, problem) for spec in specs]
    classes = [[str(one) for one in members[0].classes_]] if problem == "classification" else []
    return kind(members, [0.7, 0.3], *classes)


def _decided() -> DecidingClassifier:
    pipeline = fit(TrialSpec("knn", {}, {"balance": "over"}), target=YES_NO)
    found = predict(pipeline, FRAME, None)
    assert found.probabilities is not None
    how = Decision(calibrate="sigmoid", threshold=Threshold(metric="f1"))
    decider = fit_decider(found.probabilities, YES_NO.to_numpy(), ["no", "yes"], how)
    return DecidingClassifier(pipeline, decider)


@pytest.mark.parametrize(
    "make",
    [
        lambda: _with_a_neighbour("classification", VotingClassifier),
        lambda: _with_a_neighbour("classification", StackingClassifier),
        lambda: _with_a_neighbour("regression", VotingRegressor),
        lambda: _with_a_neighbour("regression", StackingRegressor),
        _decided,
        lambda: fit(TrialSpec("gradient_boosting", {"n_estimators": 3}, {"scale": "quantile"})),
        lambda: fit(TrialSpec("hist_gradient_boosting", {"max_iter": 3}, {"select": "model"})),
        lambda: fit(TrialSpec("extra_trees", {"n_estimators": 3}, {"reshape_target": "power"}), "regression"),
    ],
    ids=["vote", "stack", "mean", "sum", "decided", "boosting", "binned", "bent"],
)
def test_models_of_the_platform_are_walked_to_the_same_answers(make: Callable[[], Any]) -> None:
    model = make()
    classes = [str(one) for one in model.classes_] if hasattr(model, "classes_") else None
    rows = pd.concat([FRAME, FRAME.head(4).assign(ward="elsewhere", street="elsewhere", dose=1e6)])
    report = check_twin(
        Walker(model, COLUMNS, classes), lambda part: predict(model, part, classes), rows, COLUMNS,
        tolerance=1e-9,
    )  # fmt: skip
    assert (report.reason, report.rows, report.labels) == ("", ROWS + 4, 0)
