"""Ask a fitted scikit-learn pipeline."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.inference.unsupervised import cluster, detect, is_clustering, is_detector
from registry.problems.base import Predictions


def predict(pipeline: Any, frame: pd.DataFrame, classes: Sequence[str] | None) -> Predictions:
    """The pipeline's answers for the rows of a canonical frame (see ``coerce_frame``).

    Args:
        pipeline: a fitted scikit-learn pipeline.
        frame: n rows with the feature columns that the pipeline was fitted on.
        classes: the labels in the order wanted for the probabilities; None for a regression, or to keep the
            pipeline's own order.

    Returns:
        Labels as text with probabilities of shape (n, k) where the model gives them, or floats; of a detector
        or a clustering labels with ``scores``.
    """
    if is_detector(pipeline):
        return detect(pipeline, frame)
    if is_clustering(pipeline):
        return cluster(pipeline, frame)
    if not hasattr(pipeline, "classes_"):
        return Predictions(values=np.asarray(pipeline.predict(frame), dtype="float64").reshape(-1))
    known = [str(label) for label in pipeline.classes_]
    if not hasattr(pipeline, "predict_proba"):
        return Predictions(values=_as_labels(pipeline.predict(frame)), classes=list(classes or known))
    raw = np.asarray(pipeline.predict_proba(frame), dtype="float64")
    # One pass gives both: the label is the likeliest class, as in the classifiers' own predict(), unless the
    # model has a threshold of its own.
    if hasattr(pipeline, "decide"):
        values = _as_labels(pipeline.decide(raw))
    else:
        values = np.asarray(known, dtype=object)[raw.argmax(axis=1)]
    wanted = list(classes) if classes is not None else known
    return Predictions(values=values, probabilities=_reorder(raw, known, wanted), classes=wanted)


def _as_labels(values: Any) -> npt.NDArray[Any]:
    return np.asarray(values).astype(str).astype(object)


def _reorder(raw: npt.NDArray[np.float64], known: list[str], wanted: list[str]) -> npt.NDArray[np.float64]:
    if known == wanted:
        return raw
    columns = np.zeros((len(raw), len(wanted)))
    for position, label in enumerate(wanted):
        if label in known:  # a class that was not in the training data has probability 0
            columns[:, position] = raw[:, known.index(label)]
    return columns
