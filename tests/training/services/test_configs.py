"""What a training may be told."""

from typing import Any

import pytest

from tests.factories import make_dataset, make_model, table
from training.errors import InvalidConfig
from training.services.configs import checked_config, feature_columns

pytestmark = pytest.mark.usefixtures("in_tenant")


def test_left_out_settings_are_filled_in() -> None:
    config = checked_config(make_model(), None)
    assert [item["key"] for item in config["algorithms"]] == [
        "logistic_regression", "random_forest", "hist_gradient_boosting",
    ]  # fmt: skip
    assert (config["folds"], config["seed"], config["holdout"]) == (5, 42, 0.2)


def test_a_full_configuration_may_be_used_again() -> None:
    model = make_model()
    config = checked_config(model, {"folds": 3})
    assert checked_config(model, config) == config


@pytest.mark.parametrize(
    ("raw", "field", "sentence"),
    [
        ({"folds": 1}, "folds", "from 2 to 20"),
        ({"folds": True}, "folds", "whole number"),
        ({"seed": -1}, "seed", "from 0"),
        *(({"holdout": share}, "holdout", "from 5% to 50%") for share in (0, 0.04, 0.51, True, "0.2", None)),
        ({"search": "tpe"}, "search", "cannot be made"),
        ({"search": {"method": "luck"}}, "search", "Invalid enum value"),
        ({"search": {"trials": 0}}, "search", "trials"),
        ({"search": {"seconds": 1}}, "search", "seconds"),
        ({"search": {"workers": 9}}, "search", "unknown field"),
        (
            {"search": {}, "algorithms": ["knn", {"key": "knn", "params": {"n_neighbors": 3}}]},
            "algorithms",
            "each algorithm once",
        ),
        ({"automl": "yes"}, "automl", "cannot be run"),
        ({"automl": {"seconds": 1}}, "automl", "seconds"),
        ({"automl": {"workers": 2}}, "automl", "unknown field"),
        ({"automl": {"metric": "r2"}}, "automl", "cannot aim at 'r2'"),
        ({"automl": {}, "search": {}}, "automl", "searches by itself"),
        ({"preprocessing": "all"}, "preprocessing", "is an object"),
        ({"preprocessing": {"encode": "magic"}}, "preprocessing", "magic"),
        ({"preprocessing": {"keep": 2}}, "preprocessing", "keep"),
        (
            {"preprocessing": {"balance": "weights"}, "algorithms": ["knn"]},
            "preprocessing",
            "cannot weigh rows",
        ),
        ({"calibrate": "magic"}, "calibrate", "magic"),
        ({"threshold": {}}, "threshold", "either a metric or costs"),
        ({"threshold": {"metric": "luck"}}, "threshold", "luck"),
        ({"threshold": {"costs": {"positive": "x", "false_negative": -1}}}, "threshold", "false_negative"),
        ({"n_jobs": 8}, "n_jobs", "Unknown settings: n_jobs"),
        ({"algorithms": "all"}, "algorithms", "list"),
        ({"algorithms": ["magic"]}, "algorithms", "'magic' is not an algorithm"),
        ({"algorithms": ["ridge"]}, "algorithms", "does not do classification"),
        ({"algorithms": [{"key": "knn", "weights": 1}]}, "algorithms", "Each algorithm is"),
        ({"algorithms": [{"key": "knn", "params": [1]}]}, "algorithms", "must be an object"),
        ({"algorithms": ["knn", "knn"]}, "algorithms", "twice"),
        (
            {"algorithms": [{"key": "random_forest", "params": {"n_estimators": 10**9}}]},
            "algorithms",
            "n_estimators",
        ),
        (
            {"algorithms": [{"key": "random_forest", "params": {"criterion": "os.system"}}]},
            "algorithms",
            "criterion",
        ),
    ],
)
def test_wrong_settings_are_refused_by_name(raw: dict[str, Any], field: str, sentence: str) -> None:
    with pytest.raises(InvalidConfig, match=sentence) as caught:
        checked_config(make_model(), raw)
    assert list(caught.value.fields or {}) == [field]


def test_a_search_keeps_what_is_given_and_fills_in_its_budget() -> None:
    chosen = {"key": "knn", "params": {"weights": "distance"}}
    config = checked_config(make_model(), {"algorithms": [chosen], "search": {"method": "random"}})
    assert config["algorithms"] == [chosen]
    assert config["search"] == {"method": "random", "trials": 40, "seconds": None, "patience": None}


def test_a_number_has_no_threshold_and_no_rare_classes() -> None:
    model = make_model(data="diabetes")
    for raw in (
        {"threshold": {"metric": "f1"}},
        {"calibrate": "sigmoid"},
        {"preprocessing": {"balance": "over"}},
    ):
        with pytest.raises(InvalidConfig, match=r"[Cc]lasses"):
            checked_config(model, raw)


def test_automl_takes_what_suits_where_nothing_is_chosen() -> None:
    model = make_model()
    config = checked_config(model, {"automl": {}})
    keys = {item["key"] for item in config["algorithms"]}
    assert {"logistic_regression", "hist_gradient_boosting", "extra_trees"} <= keys
    assert "ridge" not in keys
    weighed = checked_config(model, {"automl": {}, "preprocessing": {"balance": "weights"}})
    assert not {"knn"} & {item["key"] for item in weighed["algorithms"]}
    assert config["automl"]["seconds"] == 60
    assert checked_config(model, config) == config


def test_identifiers_are_no_inputs() -> None:
    frame = table().assign(patient=[f"patient-{number:05d}" for number in range(569)])
    names = [column.name for column in feature_columns(make_model(), make_dataset(frame=frame))]
    assert len(names) == 30
    assert not {"patient", "diagnosis"} & set(names)
