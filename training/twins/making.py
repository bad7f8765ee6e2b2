"""A whole fitted model as the bytes of its twin."""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from registry.inference.errors import NoTwin
from registry.inference.heads import NO_CLUSTER
from registry.inference.preparing import preparation
from registry.inference.recipe import (
    Anomaly,
    Classes,
    Clouds,
    Head,
    Labels,
    Member,
    Nearest,
    Number,
    Recipe,
    Sigmoid,
    Stairs,
)
from registry.inference.twins import RECIPE
from training.algorithms.encoded_labels import EncodedLabels
from training.algorithms.isolation_forest import SmallSampleForest
from training.algorithms.unsupervised import Assigned, Detector, Mixture
from training.automl.deciding import Decider, Isotonic
from training.automl.deciding import Sigmoid as Platt
from training.automl.ensemble import StackingClassifier, VotingRegressor
from training.automl.fitting import DecidingClassifier
from training.preprocessing.balance import Balanced
from training.preprocessing.targets import BentTarget
from training.twins.estimators import write
from training.twins.graph import Graph
from training.twins.targets import Undo, unbent, unscaled

# These compare 32-bit values, whatever they are given.
ROUNDING = (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    SmallSampleForest,
    DecisionTreeClassifier,
    DecisionTreeRegressor,
)
ROUNDING_ELSEWHERE = ("xgboost",)


def make_twin(pipeline: Any, classes: list[str] | None) -> bytes:
    """The twin of a fitted model of this platform.

    Args:
        pipeline: a pipeline, an ensemble of them, or either with a decision. classes: the version's labels
            in the order of the probabilities, None where it has none.

    Raises:
        NoTwin: something in it cannot be expressed; the text says what.
    """
    decider = pipeline.decider if isinstance(pipeline, DecidingClassifier) else None
    inner = pipeline.pipeline if decider is not None else pipeline
    members = inner.pipelines if isinstance(inner, VotingRegressor) else [inner]
    weights = inner.weights if isinstance(inner, VotingRegressor) else None
    graph = Graph()
    recipe = Recipe(
        [_member(graph, place, member, classes) for place, member in enumerate(members)],
        _head(members[0], classes, decider),
        weights,
        pooled=isinstance(inner, StackingClassifier),
    )
    return graph.model({RECIPE: msgspec.json.encode(recipe).decode()})


def _member(graph: Graph, place: int, pipeline: Any, classes: list[str] | None) -> Member:
    """Write one pipeline's estimator into the graph, and say how its inputs are prepared."""
    prepared = preparation(pipeline)
    if prepared.rest:
        raise NoTwin(f"Its step {type(prepared.rest[0]).__name__} cannot be expressed.")
    if classes is not None and [str(label) for label in pipeline.classes_] != classes:
        raise NoTwin("Its members do not know the same classes.")
    estimator, undo = _bare(prepared.model)
    x = graph.input(f"x{place}", prepared.inputs)
    answer = write(graph, x, estimator)
    for step in undo:
        answer = step(graph, answer)
    graph.output(f"y{place}", answer)
    return Member(prepared.parts, prepared.keep, _rounds(estimator))


def _bare(model: BaseEstimator) -> tuple[Any, list[Undo]]:
    """The estimator inside what the platform wraps around it, and how its answers are brought back."""
    undo: list[Undo] = []
    while True:
        if isinstance(model, Balanced | EncodedLabels | Detector):
            model = model.estimator_
        elif isinstance(model, BentTarget):
            undo.insert(0, unbent(model))
            model = model.estimator_
        elif isinstance(model, TransformedTargetRegressor):
            undo.insert(0, unscaled(model))
            model = model.regressor_
        else:
            return model, undo


def _rounds(estimator: Any) -> bool:
    return isinstance(estimator, ROUNDING) or type(estimator).__module__.startswith(ROUNDING_ELSEWHERE)


def _head(pipeline: Any, classes: list[str] | None, decider: Decider | None) -> Head:
    model = pipeline.steps[-1][1] if isinstance(pipeline, Pipeline) else pipeline
    maker = HEADS.get(type(model))
    if maker is not None:
        return maker(model)
    if classes is None:
        return Number()
    if decider is not None:
        return _decided(decider, classes)
    return Labels(classes) if isinstance(_bare(model)[0], SVC) else Classes(classes)


def _decided(decider: Decider, classes: list[str]) -> Classes:
    if [str(label) for label in decider.classes] != classes:
        raise NoTwin("Its decision does not know the same classes.")
    fixes = None if decider.calibrators is None else [_calibrator(one) for one in decider.calibrators]
    return Classes(classes, fixes, decider.positive, decider.threshold)


def _calibrator(fix: Platt | Isotonic) -> Sigmoid | Stairs:
    if isinstance(fix, Platt):
        return Sigmoid(fix.slope, fix.shift)
    return Stairs(fix.stairs.X_thresholds_.tolist(), fix.stairs.y_thresholds_.tolist(), fix.margin)


def _anomaly(model: Detector) -> Anomaly:
    scale = model.scale_
    return Anomaly(
        scale.centre, scale.spread, scale.values.tolist(), scale.ranks.tolist(), float(model.threshold_)
    )


def _nearest(model: Assigned) -> Nearest:
    if not len(model.anchors_):
        return Nearest([NO_CLUSTER], [None])
    reaches = [float(reach) if np.isfinite(reach) else None for reach in model.reaches_]
    return Nearest([int(label) for label in model.anchor_labels_], reaches)


def _clouds(model: Mixture) -> Clouds:
    return Clouds(int(model.n_clusters_))


HEADS: dict[type[Any], Callable[[Any], Head]] = {Detector: _anomaly, Assigned: _nearest, Mixture: _clouds}
