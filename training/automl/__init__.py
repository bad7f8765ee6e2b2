"""Try algorithms against one another on the same folds. Pure code, no Django."""

from training.automl.leaderboard import rank
from training.automl.search import TrialResult, TrialSpec, cross_validate, fit_pipeline

__all__ = ["TrialResult", "TrialSpec", "cross_validate", "fit_pipeline", "rank"]
