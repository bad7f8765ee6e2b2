"""Forests and boosted trees, whatever library grew them."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy.special import logit
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.ensemble._iforest import _average_path_length

from training.algorithms.isolation_forest import SmallSampleForest
from training.twins.errors import NoTwin
from training.twins.graph import Graph, two_classes
from training.twins.trees import binned_tree, forest, listed_tree, sklearn_tree

Writer = Callable[[Graph, str, Any], str]
Node = tuple[int, float, int, int, float, bool]


def _averaged(graph: Graph, x: str, model: Any) -> str:
    """The mean over the trees of class shares, or of numbers.

    The sums are divided at the end, as scikit-learn does, or ties between classes would be broken otherwise.
    """
    count = len(model.estimators_)
    trees = [sklearn_tree(one.tree_, one.tree_.value[:, 0, :]) for one in model.estimators_]
    sums = forest(graph, x, trees, [0] * count, trees[0].leaf.shape[1])
    return graph.add("Div", sums, graph.constant(float(count)))


def _boosted(graph: Graph, x: str, model: Any) -> str:
    """Gradient boosting: a start, and corrections by each round's trees."""
    width = model.estimators_.shape[1]
    trees, outputs = [], []
    for round_ in model.estimators_:
        for output, one in enumerate(round_):
            trees.append(sklearn_tree(one.tree_, model.learning_rate * one.tree_.value[:, :1, 0]))
            outputs.append(output)
    sums = forest(graph, x, trees, outputs, width)
    start = model._raw_predict_init(np.zeros((1, model.n_features_in_)))[0]
    return _linked(graph, graph.add("Add", sums, graph.constant(start)), model)


def _binned(graph: Graph, x: str, model: Any) -> str:
    trees, outputs = [], []
    for round_ in model._predictors:
        for output, one in enumerate(round_):
            trees.append(binned_tree(one.nodes))
            outputs.append(output)
    start = np.asarray(model._baseline_prediction).reshape(-1)
    sums = forest(graph, x, trees, outputs, len(start))
    return _linked(graph, graph.add("Add", sums, graph.constant(start)), model)


def _linked(graph: Graph, scores: str, model: Any) -> str:
    """Scores (n, k) as probabilities where it is a classifier, else as they are."""
    if not hasattr(model, "classes_"):
        return scores
    if len(model.classes_) == 2:
        return two_classes(graph, graph.add("Sigmoid", scores))
    return graph.add("Softmax", scores, axis=1)


def _isolation(graph: Graph, x: str, model: IsolationForest) -> str:
    """Raw anomaly score (n, 1): 2 to the power of minus the mean depth, in units of an average tree's."""
    paths = zip(model._decision_path_lengths, model._average_path_length_per_tree, strict=True)
    depths = [depth + rest - 1.0 for depth, rest in paths]
    grown = zip(model.estimators_, depths, model.estimators_features_, strict=True)
    trees = [sklearn_tree(one.tree_, depth[:, None], np.asarray(seen)) for one, depth, seen in grown]
    unit = len(trees) * float(_average_path_length([model._max_samples])[0])
    if unit == 0:
        raise NoTwin("Its trees have seen one row each.")
    total = forest(graph, x, trees, [0] * len(trees), 1)
    return graph.add(
        "Pow", graph.constant(2.0), graph.add("Div", graph.add("Neg", total), graph.constant(unit))
    )


def _lightgbm(graph: Graph, x: str, model: Any) -> str:
    told = model.booster_.dump_model()
    width = told["num_tree_per_iteration"]
    if told["average_output"] or any(tree["num_cat"] for tree in told["tree_info"]):
        raise NoTwin("Its trees split categories by sets.")
    trees = [listed_tree(_flattened(tree["tree_structure"])) for tree in told["tree_info"]]
    outputs = [place % width for place in range(len(trees))]
    return _linked(graph, forest(graph, x, trees, outputs, width), model)


def _flattened(root: dict[str, Any]) -> list[Node]:
    """LightGBM's nested nodes as a list, the root first."""
    found: list[dict[str, Any]] = [root]
    children: list[tuple[int, int]] = []
    for node in found:  # grows while it is read
        if "left_child" not in node:
            children.append((-1, -1))
            continue
        children.append((len(found), len(found) + 1))
        found += [node["left_child"], node["right_child"]]
    return [
        (
            node.get("split_feature", 0),
            node.get("threshold", 0.0),
            *below,
            node.get("leaf_value", 0.0),
            _missing_goes_left(node),
        )
        for node, below in zip(found, children, strict=True)
    ]


def _missing_goes_left(node: dict[str, Any]) -> bool:
    if "threshold" not in node:
        return False
    if node["missing_type"] == "None":  # no value was missing in training: it counts as 0
        return bool(node["threshold"] >= 0)
    return bool(node["default_left"])


def _xgboost(graph: Graph, x: str, model: Any) -> str:
    learner = json.loads(model.get_booster().save_raw("json"))["learner"]
    grown = learner["gradient_booster"]["model"]
    if any(any(tree["split_type"]) for tree in grown["trees"]):
        raise NoTwin("Its trees split categories by sets.")
    start = np.asarray(json.loads(learner["learner_model_param"]["base_score"]), dtype="float64").reshape(-1)
    if learner["objective"]["name"] == "binary:logistic":
        start = logit(start)
    trees = [listed_tree(_nodes(tree)) for tree in grown["trees"]]
    width = max(grown["tree_info"]) + 1
    sums = forest(graph, x, trees, grown["tree_info"], width, strict=True)
    return _linked(graph, graph.add("Add", sums, graph.constant(start)), model)


def _nodes(tree: dict[str, Any]) -> Iterator[Node]:
    below = zip(tree["left_children"], tree["right_children"], strict=True)
    for place, (left, right) in enumerate(below):
        value = float(np.float32(tree["split_conditions"][place]))  # a threshold, or a leaf's number
        yield tree["split_indices"][place], value, left, right, value, bool(tree["default_left"][place])


FORESTS: dict[type[Any], Writer] = {
    **dict.fromkeys(
        (RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier, ExtraTreesRegressor), _averaged
    ),
    **dict.fromkeys((GradientBoostingClassifier, GradientBoostingRegressor), _boosted),
    **dict.fromkeys((HistGradientBoostingClassifier, HistGradientBoostingRegressor), _binned),
    IsolationForest: _isolation,
    SmallSampleForest: _isolation,
}
# By module and name, since the libraries are heavy, and there only with the extra "boost".
BOOSTERS: dict[tuple[str, str], Writer] = {
    ("lightgbm", "LGBMClassifier"): _lightgbm,
    ("lightgbm", "LGBMRegressor"): _lightgbm,
    ("xgboost", "XGBClassifier"): _xgboost,
    ("xgboost", "XGBRegressor"): _xgboost,
}
