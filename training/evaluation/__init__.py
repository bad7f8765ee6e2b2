"""How good a model is, and how sure that is. Pure code, no Django."""

from registry.tabular.errors import TooFewRows
from registry.tabular.holdout import holdout_mask
from training.evaluation.importance import permutation_importance
from training.evaluation.intervals import Interval, bootstrap_interval
from training.evaluation.splits import folds

__all__ = ["Interval", "TooFewRows", "bootstrap_interval", "folds", "holdout_mask", "permutation_importance"]
