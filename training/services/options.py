"""How a job prepares its inputs and makes its answers: checked before the job exists."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pandas as pd

from mlplatform.errors import PlatformError
from training.algorithms import algorithms_for, get_algorithm
from training.algorithms.base import CLASSIFICATION
from training.automl.budget import AutoMLSettings
from training.automl.deciding import Decision
from training.automl.portfolio import RACERS
from training.automl.scoring import OBJECTIVES
from training.errors import InvalidConfig, TrainingFailed
from training.preprocessing import check_fits, parse_preprocessing, plain
from training.preprocessing.options import weighs_rows


def checked_preprocessing(raw: Any, problem_type: str, algorithms: Sequence[str]) -> dict[str, Any]:
    """Return what differs from the usual preparation; raises InvalidConfig."""
    if raw is not None and not isinstance(raw, dict):
        raise _wrong(
            "preprocessing", 'The preparation of the inputs is an object, such as {"encode": "target"}.'
        )
    try:
        options = parse_preprocessing(raw)
        check_fits(options, problem_type)
        for key in algorithms:
            check_fits(options, problem_type, get_algorithm(key))
    except PlatformError as error:
        raise _wrong("preprocessing", error.detail) from error
    return plain(options)


def checked_decision(
    calibrate: Any, threshold: Any, problem_type: str, algorithms: Sequence[str]
) -> tuple[str, dict[str, Any] | None]:
    """Return calibration and threshold as they are kept; raises InvalidConfig."""
    try:
        decision = msgspec.convert({"calibrate": calibrate, "threshold": threshold}, Decision)
    except msgspec.ValidationError as error:
        field = "threshold" if "threshold" in str(error) else "calibrate"
        raise _wrong(field, f"The answers cannot be made like this: {error}.") from error
    field = "threshold" if threshold else "calibrate"
    if decision.is_needed and problem_type != CLASSIFICATION:
        raise _wrong(
            field, "Only classes have probabilities to correct and a threshold to choose. Leave it out."
        )
    chosen = decision.threshold
    if chosen is not None and (chosen.metric is None) == (chosen.costs is None):
        raise _wrong("threshold", "Say what the threshold is chosen by: either a metric or costs.")
    without = [key for key in algorithms if not get_algorithm(key).traits.probabilities]
    if decision.is_needed and without:
        raise _wrong(
            field, f"{without[0]} gives no probabilities to work on. Take it out, or leave this out."
        )
    told: dict[str, Any] = msgspec.to_builtins(decision)
    return told["calibrate"], told["threshold"]


def checked_automl(raw: dict[str, Any], problem_type: str) -> dict[str, Any] | None:
    """Return the settings of an automatic search as they are kept; raises InvalidConfig."""
    if raw["automl"] is None:
        return None
    if raw["search"] is not None:
        raise _wrong("automl", "AutoML searches by itself. Leave 'search' out.")
    try:
        settings = msgspec.convert(raw["automl"], AutoMLSettings)
    except msgspec.ValidationError as error:
        raise _wrong("automl", f"AutoML cannot be run like this: {error}.") from error
    offered = OBJECTIVES.get(problem_type, ())
    if not offered:
        raise _wrong("automl", f"AutoML is for classification and regression, not for {problem_type}.")
    if settings.metric is not None and settings.metric not in offered:
        raise _wrong(
            "automl", f"AutoML cannot aim at {settings.metric!r} here. Choose: {', '.join(offered)}."
        )
    told: dict[str, Any] = msgspec.to_builtins(settings)
    return told


def candidates(problem_type: str, prepared: Any = None) -> list[dict[str, Any]]:
    """Return the algorithms that AutoML takes where nobody chose any: those that bear the preparation.

    Classifiers without probabilities can neither be calibrated nor join an ensemble.
    """
    known = {algorithm.key: algorithm for algorithm in algorithms_for(problem_type)}
    classify = problem_type == CLASSIFICATION
    weighed = classify and isinstance(prepared, dict) and prepared.get("balance") == "weights"
    return [
        {"key": key, "params": {}}
        for key in RACERS
        if key in known
        and (known[key].traits.probabilities or not classify)
        and (not weighed or weighs_rows(known[key], problem_type))
    ]


def decision_of(config: dict[str, Any], target: "pd.Series[Any]") -> Decision:
    """Return how the job makes its answers; raises TrainingFailed where its classes do not allow it."""
    decision = msgspec.convert(
        {"calibrate": config.get("calibrate", "none"), "threshold": config.get("threshold")}, Decision
    )
    if decision.threshold is None:
        return decision
    classes = sorted(set(target))
    if len(classes) != 2:
        raise TrainingFailed(
            f"A threshold decides between two classes; the target has {len(classes)}. Leave it out.",
            code="threshold_needs_two_classes",
        )
    costs = decision.threshold.costs
    if costs is not None and costs.positive not in classes:
        raise TrainingFailed(
            f"The costs name the class {costs.positive!r}, which the target does not have. "
            f"Its classes: {', '.join(classes)}.",
            code="unknown_class",
        )
    return decision


def _wrong(field: str, sentence: str) -> InvalidConfig:
    return InvalidConfig(sentence, fields={field: [sentence]})
