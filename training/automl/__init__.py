"""Try algorithms against one another on the same folds. Pure code, no Django."""

from training.automl.deciding import Decision
from training.automl.fitting import fit_decision, fit_pipeline
from training.automl.leaderboard import rank
from training.automl.search import cross_validate
from training.automl.trials import TrialResult, TrialSpec

__all__ = ["Decision", "TrialResult", "TrialSpec", "cross_validate", "fit_decision", "fit_pipeline", "rank"]
