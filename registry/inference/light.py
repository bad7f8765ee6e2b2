"""Stand-ins for fitted estimators and steps of scikit-learn that answer arrays without checking them.

What a stand-in leaves out is looking at the rows, the names and the parameters again at each call, which for
a few rows takes a hundred times longer than the arithmetic. What it computes is the same, in the same order
of additions wherever a tie could tell.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import (
    DecisionTreeClassifier,
    DecisionTreeRegressor,
    ExtraTreeClassifier,
    ExtraTreeRegressor,
)
from sklearn.utils import get_tags

from registry.inference.encoding import scaling
from registry.inference.errors import NoTwin
from registry.inference.preparing import scale_of
from registry.inference.trees import Grove, binned_trees, sklearn_tree

Floats = npt.NDArray[np.float64]
Computing = Callable[[Floats], Floats]


class LightRegressor:
    """Answers numbers (n,) to rows (n, d)."""

    def __init__(self, model: Any, compute: Computing) -> None:
        self._compute = compute
        self._takes_missing = bool(get_tags(model).input_tags.allow_nan)

    def predict(self, x: Floats) -> npt.NDArray[Any]:
        """Numbers, (n,)."""
        return self._computed(x).reshape(-1)

    def _computed(self, x: Floats) -> Floats:
        numbers = np.asarray(x, dtype="float64")
        if not self._takes_missing and np.isnan(numbers).any():
            raise ValueError("Input contains NaN.")
        return self._compute(numbers)


class LightClassifier(LightRegressor):
    """Answers probabilities (n, classes) and labels (n,) to rows (n, d)."""

    def __init__(self, model: Any, compute: Computing) -> None:
        super().__init__(model, compute)
        self.classes_ = model.classes_

    def predict_proba(self, x: Floats) -> Floats:
        """Probabilities, (n, classes)."""
        return self._computed(x)

    def predict(self, x: Floats) -> npt.NDArray[Any]:
        """The likeliest labels, (n,)."""
        return np.asarray(self.classes_.take(self._computed(x).argmax(axis=1)))


def light_estimator(model: Any) -> Any:
    """The stand-in for a fitted estimator, or the estimator itself where there is none for it."""
    maker = ESTIMATORS.get(type(model))
    try:
        compute = None if maker is None or getattr(model, "n_outputs_", 1) != 1 else maker(model)
    except NoTwin:
        compute = None
    if compute is None:
        return model
    return (LightClassifier if hasattr(model, "classes_") else LightRegressor)(model, compute)


def light_step(step: Any) -> Callable[[Any], Any]:
    """What a fitted step does to rows (n, d), by numpy alone where the step is of a usual kind."""
    scale = scale_of(step)
    if scale is not None:
        return scaling(scale)
    if hasattr(step, "get_support"):
        kept = np.asarray(step.get_support(indices=True))
        return lambda x: np.asarray(x)[:, kept]
    if isinstance(step, FunctionTransformer) and isinstance(step.func, np.ufunc) and not step.kw_args:
        return step.func
    if isinstance(step, SimpleImputer) and _fills_numbers(step):
        return lambda x: np.where(np.isnan(x), step.statistics_, x)
    return lambda x: step.transform(named(step, x))


def named(step: Any, x: Any) -> Any:
    """The numbers as a table where the step was fitted on one, whose names it compares at each call."""
    names = getattr(step, "feature_names_in_", None)
    return x if names is None or not isinstance(x, np.ndarray) else pd.DataFrame(x, columns=names)


def takes_arrays(step: Any) -> bool:
    """Whether a step that was fitted on a table of numbers does the same to the bare numbers."""
    function = isinstance(step, FunctionTransformer) and isinstance(step.func, np.ufunc)
    return function or scale_of(step) is not None or isinstance(step, SimpleImputer)


def _fills_numbers(step: SimpleImputer) -> bool:
    fills = step.statistics_
    return bool(
        fills.dtype.kind == "f"
        and not np.isnan(fills).any()
        and step.indicator_ is None
        and pd.isna(step.missing_values)
    )


def _rounded(x: Floats) -> Floats:
    """As the trees of scikit-learn see them: 32-bit values, compared with 64-bit thresholds."""
    return x.astype("float32").astype("float64")


def _tree(model: Any) -> Computing:
    grove = Grove([sklearn_tree(model.tree_, model.tree_.value[:, 0, :])])
    return lambda x: grove.sums(_rounded(x))


def _forest(model: Any) -> Computing:
    """The mean over the trees, divided at the end as scikit-learn does: ties between classes fall alike."""
    count = len(model.estimators_)
    grove = Grove([sklearn_tree(one.tree_, one.tree_.value[:, 0, :]) for one in model.estimators_])
    return lambda x: grove.sums(_rounded(x)) / count


def _boosting(model: Any) -> Computing:
    start = 0.0
    if isinstance(model.init_, DummyClassifier | DummyRegressor):
        start = model._raw_predict_init(np.zeros((1, model.n_features_in_)))[0]
    elif model.init_ != "zero":
        raise NoTwin("Its boosting begins with another model.")
    trees = [
        sklearn_tree(one.tree_, model.learning_rate * one.tree_.value[:, :1, 0])
        for one in model.estimators_.ravel()
    ]
    grove, outputs = Grove(trees), model.estimators_.shape[1]
    link = _link(model)
    return lambda x: link(start + grove.sums(_rounded(x), outputs))


def _binned(model: Any) -> Computing:
    start = np.asarray(model._baseline_prediction).reshape(-1)
    grove = Grove(binned_trees(model))
    link = _link(model)
    return lambda x: link(start + grove.sums(x, len(start)))


def _link(model: Any) -> Computing:
    """From raw scores (n, k) to probabilities, or numbers."""
    if hasattr(model, "classes_"):
        return lambda raw: np.asarray(model._loss.predict_proba(raw))
    return lambda raw: np.asarray(model._loss.link.inverse(raw.ravel()))


def _linear(model: Any) -> Computing:
    weights, shift = np.asarray(model.coef_).T, np.asarray(model.intercept_)
    if weights.ndim == 2 and weights.shape[1] != 1:
        raise NoTwin("It answers several numbers.")
    return lambda x: np.asarray(x @ weights + shift)


def _logistic(model: LogisticRegression) -> Computing:
    weights, shift = model.coef_.T, model.intercept_

    def answer(x: Floats) -> Floats:
        scores = x @ weights + shift
        if scores.shape[1] > 1:
            return _to_sum_one(scores)
        yes = expit(scores)
        return np.hstack([1 - yes, yes])

    return answer


def _bell_curves(model: GaussianNB) -> Computing:
    """Log likelihoods of independent normal columns, brought to sum to 1."""
    known = np.log(model.class_prior_) - 0.5 * np.log(2 * np.pi * model.var_).sum(axis=1)

    def answer(x: Floats) -> Floats:
        apart = x[:, None, :] - model.theta_
        scores = known - 0.5 * (apart**2 / model.var_).sum(axis=2)
        return _to_sum_one(scores)

    return answer


def _to_sum_one(logs: Floats) -> Floats:
    """Probabilities from their logarithms, which may all be off by the same."""
    raised = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


ESTIMATORS: dict[type[Any], Callable[[Any], Computing]] = {
    **dict.fromkeys(
        (DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor), _tree
    ),
    **dict.fromkeys(
        (RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier, ExtraTreesRegressor), _forest
    ),
    **dict.fromkeys((GradientBoostingClassifier, GradientBoostingRegressor), _boosting),
    **dict.fromkeys((HistGradientBoostingClassifier, HistGradientBoostingRegressor), _binned),
    **dict.fromkeys((LinearRegression, Ridge, Lasso, ElasticNet), _linear),
    LogisticRegression: _logistic,
    GaussianNB: _bell_curves,
}
