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

from registry.inference.errors import NoTwin
from registry.inference.trees import Tree, binned_trees, sklearn_tree
from training.algorithms.isolation_forest import SmallSampleForest
from training.twins.graph import Graph, two_classes
from training.twins.trees import Node, forest, listed_tree

Writer = Callable[[Graph, str, Any], str]


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
    trees, start = binned_trees(model), np.asarray(model._baseline_prediction).reshape(-1)
    outputs = [place % len(start) for place in range(len(trees))]
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
    if told["average_output"]:
        raise NoTwin("Its trees are averaged.")
    trees = [_lightgbm_tree(tree["tree_structure"]) for tree in told["tree_info"]]
    outputs = [place % width for place in range(len(trees))]
    return _linked(graph, forest(graph, x, trees, outputs, width), model)


def _lightgbm_tree(root: dict[str, Any]) -> Tree:
    """LightGBM's nested nodes as a tree. In a set goes left; missing and unknown values go right."""
    found: list[dict[str, Any]] = [root]
    nodes: list[Node] = []
    members: dict[int, list[float]] = {}
    for place, node in enumerate(found):  # grows while it is read
        below, threshold = (-1, -1), 0.0
        if "left_child" in node:
            below = (len(found), len(found) + 1)
            found += [node["left_child"], node["right_child"]]
        if node.get("decision_type") == "==":
            members[place] = [float(code) for code in str(node["threshold"]).split("||")]
        else:
            threshold = node.get("threshold", 0.0)
        leaf, feature = node.get("leaf_value", 0.0), node.get("split_feature", 0)
        nodes.append((feature, threshold, *below, leaf, _missing_goes_left(node)))
    return listed_tree(nodes, members)


def _missing_goes_left(node: dict[str, Any]) -> bool:
    if "threshold" not in node or node["decision_type"] == "==":
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
