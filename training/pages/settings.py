"""How a job searches, prepares its inputs and answers, in words."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from mlplatform.admin.render import duration
from training.algorithms import ALGORITHMS
from training.pages.measures import shown_measures
from training.preprocessing import describe_options, parse_preprocessing

SEARCHES = [
    ("tpe", "Search where the good ones lie (TPE)"),
    ("halving", "Search wide on few rows, then deep (successive halving)"),
    ("random", "Search by lot"),
    ("grid", "Search a grid, three values each"),
]


def shown_settings(config: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return how a job was told to train, as facts for people."""
    keys = [one["key"] for one in config.get("algorithms", [])]
    return [
        ("Algorithms", [ALGORITHMS[key].title if key in ALGORITHMS else key for key in keys]),
        ("How", shown_search(config)),
        *shown_options(config),
        ("Folds", config.get("folds")),
        ("Seed", config.get("seed")),
        *shown_measures(config),
    ]


def shown_search(config: Mapping[str, Any]) -> str:
    """Return how the job searches, in words."""
    if automl := config.get("automl"):
        parts = [f"AutoML, {duration(timedelta(seconds=automl['seconds']))} for everything"]
        if automl["metric"]:
            parts.append(f"aiming at {automl['metric'].replace('_', ' ')}")
        if automl["per_millisecond"]:
            parts.append(f"a millisecond of an answer's time counts as {automl['per_millisecond']:g}")
        if not automl["ensemble"]:
            parts.append("one model, no ensemble")
        return ", ".join(parts)
    search = config.get("search")
    if not search:
        return "As given"
    parts = [dict(SEARCHES)[search["method"]], f"at most {search['trials']} trials"]
    if search["seconds"]:
        parts.append(f"{duration(timedelta(seconds=search['seconds']))}")
    if search["patience"]:
        parts.append(f"until {search['patience']} in a row are no better")
    return ", ".join(parts)


def shown_options(config: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return how inputs are prepared and answers made, as facts for people."""
    told = describe_options(parse_preprocessing(config.get("preprocessing")))
    rows: list[tuple[str, Any]] = [("Inputs", told or "As each algorithm needs them")]
    if config.get("calibrate", "none") != "none":
        rows.append(("Probabilities", f"Corrected ({config['calibrate']}), learnt from unseen rows"))
    if threshold := config.get("threshold"):
        rows.append(("Answer", _shown_threshold(threshold)))
    return rows


def _shown_threshold(threshold: Mapping[str, Any]) -> str:
    if costs := threshold.get("costs"):
        return (
            f"What costs the least, looking for {costs['positive']}: a false alarm costs "
            f"{costs['false_positive']:g}, a miss {costs['false_negative']:g}"
        )
    return f"What makes {threshold['metric'].replace('_', ' ')} best on unseen rows"
