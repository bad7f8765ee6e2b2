"""How good a model is, and how sure that is. Pure code, no Django."""

from registry.tabular.errors import TooFewRows
from registry.tabular.holdout import holdout_mask
from training.evaluation.importance import permutation_importance
from training.evaluation.report import Evaluation, Evidence, evaluate
from training.evaluation.resampling import metric_intervals
from training.evaluation.splits import folds

__all__ = [
    "Evaluation",
    "Evidence",
    "TooFewRows",
    "evaluate",
    "folds",
    "holdout_mask",
    "metric_intervals",
    "permutation_importance",
]
