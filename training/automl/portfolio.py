"""Where an automatic search begins: configurations that are good on many tables, and unlike each other.

A portfolio in the manner of auto-sklearn 2.0 (Feurer et al. 2022): whoever begins with what has been good
elsewhere needs a few trials for what a search from nothing needs hundreds for. It was put together by hand
from what published comparisons on many tables report (slow, small boosted trees with few columns each;
target codes; forests with larger leaves; linear models on bent scales), not by measurements of our own.
"""

from typing import Any

from training.automl.trials import TrialSpec

RACERS = (
    "lightgbm",
    "hist_gradient_boosting",
    "xgboost",
    "logistic_regression",
    "ridge",
    "elastic_net",
    "extra_trees",
    "random_forest",
    "svm",
    "mlp",
    "knn",
    "naive_bayes",
)
TARGET = {"encode": "target"}
BENT = {"scale": "quantile"}


def _spec(algorithm: str, inputs: dict[str, Any] | None = None, **params: Any) -> TrialSpec:
    return TrialSpec(algorithm, params, inputs or {})


CLASSIFIERS = (
    _spec("lightgbm", learning_rate=0.05, n_estimators=150, num_leaves=15, colsample_bytree=0.6),
    _spec("logistic_regression", C=1.0),
    _spec("extra_trees", n_estimators=200, min_samples_leaf=2),
    _spec(
        "hist_gradient_boosting", learning_rate=0.05, max_iter=150, max_leaf_nodes=15, l2_regularization=1.0
    ),
    _spec("random_forest", n_estimators=200, min_samples_leaf=2),
    _spec("logistic_regression", BENT, C=0.1),
    _spec("lightgbm", TARGET, learning_rate=0.03, n_estimators=300, num_leaves=31, colsample_bytree=0.5),
    _spec("mlp", BENT, units=64, layers=1, alpha=1e-2),
    _spec("xgboost", learning_rate=0.05, n_estimators=200, max_depth=4, subsample=0.8, colsample_bytree=0.6),
    _spec("knn", BENT, n_neighbors=20, weights="distance"),
    _spec(
        "lightgbm", learning_rate=0.03, n_estimators=400, num_leaves=7, colsample_bytree=0.4, reg_lambda=5.0
    ),
    _spec("extra_trees", TARGET, n_estimators=300, min_samples_leaf=5, max_features=0.5),
    _spec("logistic_regression", C=0.03),
    _spec("naive_bayes", BENT),
    _spec("xgboost", learning_rate=0.02, n_estimators=500, max_depth=6, subsample=0.7, colsample_bytree=0.5),
    _spec("hist_gradient_boosting", learning_rate=0.02, max_iter=400, max_leaf_nodes=31, min_samples_leaf=10),
)
REGRESSORS = (
    _spec("lightgbm", learning_rate=0.05, n_estimators=200, num_leaves=15, colsample_bytree=0.6),
    _spec("ridge", alpha=1.0),
    _spec("extra_trees", n_estimators=200, min_samples_leaf=2),
    _spec(
        "hist_gradient_boosting", learning_rate=0.05, max_iter=200, max_leaf_nodes=15, l2_regularization=1.0
    ),
    _spec("random_forest", n_estimators=200, min_samples_leaf=2),
    _spec("ridge", BENT, alpha=10.0),
    _spec("lightgbm", TARGET, learning_rate=0.03, n_estimators=400, num_leaves=31, colsample_bytree=0.5),
    _spec("svm", C=10.0),
    _spec("xgboost", learning_rate=0.05, n_estimators=300, max_depth=4, subsample=0.8, colsample_bytree=0.6),
    _spec("knn", BENT, n_neighbors=10, weights="distance"),
    _spec(
        "lightgbm", learning_rate=0.03, n_estimators=500, num_leaves=7, colsample_bytree=0.4, reg_lambda=5.0
    ),
    _spec("extra_trees", TARGET, n_estimators=300, min_samples_leaf=1, max_features=0.5),
    _spec("elastic_net", alpha=0.01, l1_ratio=0.5),
    _spec("mlp", BENT, units=64, layers=2, alpha=1e-2),
    _spec("xgboost", learning_rate=0.02, n_estimators=600, max_depth=6, subsample=0.7, colsample_bytree=0.5),
    _spec("ridge", alpha=30.0),
)
PORTFOLIO = {"classification": CLASSIFIERS, "regression": REGRESSORS}
