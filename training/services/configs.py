"""What a training is told to do: checked and completed before a job exists."""

from typing import Any

import msgspec
from django.conf import settings
from msgspec.structs import replace

from mlplatform.errors import PlatformError
from registry.models import Dataset, RegisteredModel
from registry.privacy.treatment import stricter
from registry.services.personal import dataset_marks, model_marks, refuse_target
from registry.tabular.schema import NUMBER_TYPES, UNUSED_TYPES, Column, columns_from_json
from registry.tabular.splits import HOLDOUT_SHARE
from training.algorithms import ALGORITHMS, algorithms_for, get_algorithm, parse_params
from training.automl.budget import SearchSettings
from training.errors import InvalidConfig, UnusableData
from training.services.limits import StatedLimits, highest_limits
from training.services.measures import (
    check_measured_columns,
    checked_fairness,
    checked_share,
    checked_split,
    split_of,
)
from training.services.options import candidates, checked_automl, checked_decision, checked_preprocessing

DEFAULTS: dict[str, Any] = {
    "folds": 5,
    "seed": 42,
    "holdout": HOLDOUT_SHARE,
    "search": None,
    "limits": None,
    "workers": 1,
    "automl": None,
    "preprocessing": {},
    "calibrate": "none",
    "threshold": None,
    "split": None,
    "fairness": None,
}
STARTERS = (
    *("logistic_regression", "ridge", "random_forest", "hist_gradient_boosting"),
    *("isolation_forest", "local_outlier_factor", "elliptic_envelope", "anomaly_ensemble"),
    *("kmeans", "gaussian_mixture", "agglomerative", "hdbscan"),
)
__all__ = ["check_dataset", "checked_config", "feature_columns", "split_of", "starters"]
MAX_ALGORITHMS = 20
MIN_ROWS = 20


def checked_config(model: RegisteredModel, raw: dict[str, Any] | None) -> dict[str, Any]:
    """Return the full configuration of a job: ``algorithms`` and the keys of ``DEFAULTS``.

    Left out: a few methods that differ (see ``STARTERS``), 5 folds, no search. With a search (see
    ``SearchSettings``) or AutoML (see ``AutoMLSettings``) the given parameters are kept, the others varied.
    ``preprocessing`` is that of ``Preprocessing``, ``calibrate`` and ``threshold`` those of ``Decision``.
    Raises InvalidConfig, which names each wrong field.
    """
    raw = {**DEFAULTS, **(raw or {})}
    unknown = sorted(set(raw) - {*DEFAULTS, "algorithms"})
    if unknown:
        raise InvalidConfig(
            f"Unknown settings: {', '.join(unknown)}. Known: algorithms, {', '.join(DEFAULTS)}.",
            fields={name: ["Unknown setting."] for name in unknown},
        )
    _check_whole(raw, "folds", 2, 20)
    _check_whole(raw, "seed", 0, 2**31 - 1)
    searched = {"search": _checked_search(raw["search"]), "automl": checked_automl(raw, model.problem_type)}
    chosen = raw.get("algorithms") or _usual(model.problem_type, raw, automl=bool(searched["automl"]))
    algorithms = _checked_algorithms(model, chosen, searched=any(searched.values()))
    limits = _checked_limits(raw["limits"])
    _check_workers(raw)
    return {
        **raw,
        **searched,
        "limits": limits,
        "holdout": checked_share(raw["holdout"]),
        "split": checked_split(model, raw),
        "fairness": checked_fairness(model, raw["fairness"]),
        "algorithms": algorithms,
        **_checked_options(model, raw, algorithms),
    }


def _usual(problem_type: str, raw: dict[str, Any], *, automl: bool) -> list[dict[str, Any]]:
    return candidates(problem_type, raw["preprocessing"]) if automl else starters(problem_type)


def _checked_options(
    model: RegisteredModel, raw: dict[str, Any], algorithms: list[dict[str, Any]]
) -> dict[str, Any]:
    keys = [item["key"] for item in algorithms]
    calibrate, threshold = checked_decision(raw["calibrate"], raw["threshold"], model.problem_type, keys)
    return {
        "preprocessing": checked_preprocessing(raw["preprocessing"], model.problem_type, keys),
        "calibrate": calibrate,
        "threshold": threshold,
    }


def starters(problem_type: str) -> list[dict[str, Any]]:
    """Return the algorithms tried where nobody chose any."""
    keys = {algorithm.key for algorithm in algorithms_for(problem_type)}
    return [{"key": key, "params": {}} for key in STARTERS if key in keys]


def _checked_search(raw: Any) -> dict[str, Any] | None:
    if raw is None:
        return None
    try:
        settings: dict[str, Any] = msgspec.to_builtins(msgspec.convert(raw, SearchSettings))
    except msgspec.ValidationError as error:
        raise _wrong("search", f"The search cannot be made like this: {error}.") from error
    return settings


def _checked_limits(raw: Any) -> dict[str, int] | None:
    if not raw:
        return None
    try:
        stated: dict[str, int] = msgspec.to_builtins(msgspec.convert(raw, StatedLimits))
    except msgspec.ValidationError as error:
        raise _wrong("limits", f"The limits cannot be set like this: {error}.") from error
    for name, highest in highest_limits().items():
        if (stated[name] or 0) > highest:
            raise _wrong("limits", f"{name} is at most {highest} here. Leave it out for just that.")
    return stated


def _checked_algorithms(model: RegisteredModel, chosen: Any, *, searched: bool) -> list[dict[str, Any]]:
    if not isinstance(chosen, list) or len(chosen) > MAX_ALGORITHMS:
        raise _wrong("algorithms", f"Give a list of at most {MAX_ALGORITHMS} algorithms.")
    checked = [_checked_algorithm(model, item, searched=searched) for item in chosen]
    if any(item in checked[:place] for place, item in enumerate(checked)):
        raise _wrong("algorithms", "The same algorithm with the same parameters stands there twice.")
    if searched and len({item["key"] for item in checked}) < len(checked):
        raise _wrong("algorithms", "A search takes each algorithm once: it varies the parameters itself.")
    return checked


def _checked_algorithm(model: RegisteredModel, item: Any, *, searched: bool) -> dict[str, Any]:
    if isinstance(item, str):
        item = {"key": item}
    if not isinstance(item, dict) or set(item) - {"key", "params"}:
        raise _wrong("algorithms", 'Each algorithm is {"key": name, "params": {...}}.')
    key, params = item.get("key"), item.get("params") or {}
    fitting = [algorithm.key for algorithm in algorithms_for(model.problem_type)]
    if key not in fitting:
        kind = "does not do" if key in ALGORITHMS else "is not an algorithm for"
        raise _wrong("algorithms", f"{key!r} {kind} {model.problem_type}. Choose from: {', '.join(fitting)}.")
    if not isinstance(params, dict):
        raise _wrong("algorithms", f"The parameters of {key} must be an object.")
    try:
        parsed = parse_params(get_algorithm(key), params)
    except PlatformError as error:
        raise _wrong("algorithms", f"{key}: {error.detail}") from error
    return {"key": key, "params": dict(params) if searched else msgspec.to_builtins(parsed)}


def check_dataset(model: RegisteredModel, dataset: Dataset, config: dict[str, Any] | None = None) -> None:
    """Refuse at once, from schema and profile alone, what cannot teach the model; raises UnusableData."""
    columns = {column.name: column for column in columns_from_json(dataset.columns)}
    if model.target and model.target not in columns:
        raise UnusableData(
            f"{dataset.name} has no column {model.target!r}, which {model.name} needs: it {model.purpose}. "
            f"Its columns: {', '.join(list(columns)[:20])}.",
            fields={"dataset": [f"No column {model.target!r}."]},
        )
    if dataset.rows < MIN_ROWS:
        raise UnusableData(f"{dataset.name} has {dataset.rows} rows; at least {MIN_ROWS} are needed.")
    if not feature_columns(model, dataset):
        beside = f" beside {model.target!r}" if model.target else ""
        raise UnusableData(
            f"{dataset.name} has no usable input{beside}: identifiers and constant or empty "
            "columns teach nothing. Add columns that tell the rows apart."
        )
    refuse_target(model, dataset_marks(dataset))
    if config is not None:
        personal = stricter(dataset_marks(dataset), model_marks(model))
        check_measured_columns(columns, personal, config)
    if model.problem.needs_target:
        _check_target(model, dataset, columns[model.target])


def feature_columns(model: RegisteredModel, dataset: Dataset) -> list[Column]:
    """Return the dataset's columns that the model may learn from, personal ones marked."""
    columns = marked_columns(model, dataset)
    return [column for column in columns if column.name != model.target and column.type not in UNUSED_TYPES]


def marked_columns(model: RegisteredModel, dataset: Dataset) -> list[Column]:
    """Return all columns of the dataset, those marked that are personal there or for the model."""
    marks = stricter(dataset_marks(dataset), model_marks(model))
    return [replace(column, personal=marks.get(column.name)) for column in columns_from_json(dataset.columns)]


def _check_target(model: RegisteredModel, dataset: Dataset, target: Column) -> None:
    distinct = dataset.profile["columns"][model.target].get("distinct")
    if distinct is not None and distinct < 2:
        raise UnusableData(
            f"The column {model.target!r} holds {'one value only' if distinct else 'no value'}, so there is "
            "nothing to tell apart. Add rows with other outcomes.",
            fields={"dataset": ["The target has a single value."]},
        )
    if model.problem_type == "regression" and target.type not in NUMBER_TYPES | UNUSED_TYPES:
        raise UnusableData(
            f"{model.name} predicts a number, but the column {model.target!r} holds {target.type}. "
            "Choose a numeric column, or make it a classification model."
        )


def _check_whole(raw: dict[str, Any], name: str, low: int, high: int) -> None:
    value = raw[name]
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise _wrong(name, f"{name} must be a whole number from {low} to {high}.")


def _check_workers(raw: dict[str, Any]) -> None:
    _check_whole(raw, "workers", 1, settings.TRAINING_MAX_WORKERS)
    if raw["workers"] > 1 and raw["automl"] is not None:
        raise _wrong(
            "workers",
            "AutoML is the work of one worker: it weighs its ensemble from answers that it keeps. Leave "
            "'workers' out, or search with 'search' instead.",
        )


def _wrong(field: str, sentence: str) -> InvalidConfig:
    return InvalidConfig(sentence, fields={field: [sentence]})
