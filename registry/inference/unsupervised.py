"""Ask detectors and clusterings, which say more than a label."""

from typing import Any

import numpy as np
import pandas as pd

from registry.problems.anomaly import ANOMALY, NORMAL
from registry.problems.base import Predictions
from registry.problems.clustering import cluster_name


def is_detector(pipeline: Any) -> bool:
    """Whether the pipeline's last step scores how unusual rows are."""
    return hasattr(_last(pipeline), "anomaly_scores")


def is_clustering(pipeline: Any) -> bool:
    """Whether the pipeline's last step places rows in clusters."""
    return hasattr(_last(pipeline), "assign")


def detect(pipeline: Any, frame: pd.DataFrame) -> Predictions:
    """Labels "anomaly" and "normal", and scores from 0 to 1."""
    model, points = _last(pipeline), _before(pipeline, frame)
    scores = np.asarray(model.anomaly_scores(points), dtype="float64")
    labels = np.where(scores > model.threshold_, ANOMALY, NORMAL).astype(object)
    return Predictions(values=labels, scores=scores)


def cluster(pipeline: Any, frame: pd.DataFrame) -> Predictions:
    """Cluster names, distances to the nearest centre or core row, and memberships where there are any."""
    model, points = _last(pipeline), np.asarray(_before(pipeline, frame), dtype="float64")
    numbers, distances = model.assign(points)
    names = np.array([cluster_name(int(number)) for number in numbers], dtype=object)
    shares = model.predict_membership(points) if hasattr(model, "predict_membership") else None
    classes = None if shares is None else [cluster_name(place) for place in range(shares.shape[1])]
    return Predictions(names, shares, classes, scores=distances, points=points)


def threshold_of(pipeline: Any) -> float | None:
    """The score above which a detector calls a row an anomaly; None of any other pipeline."""
    return float(_last(pipeline).threshold_) if is_detector(pipeline) else None


def _last(pipeline: Any) -> Any:
    steps = getattr(pipeline, "steps", None)
    return steps[-1][1] if steps else pipeline


def _before(pipeline: Any, frame: pd.DataFrame) -> Any:
    return pipeline[:-1].transform(frame) if getattr(pipeline, "steps", None) else frame
