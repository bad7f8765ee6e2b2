"""XGBoost."""

from typing import Any

import joblib
from sklearn.base import BaseEstimator

from training.algorithms.base import BOTH, CLASSIFICATION, Algorithm, Params, Traits
from training.algorithms.encoded_labels import EncodedLabels
from training.algorithms.fields import CorrectionPenalty, Depth, FeatureShare, LearningRate, Rounds, RowShare


class XgboostParams(Params, frozen=True):
    """Pace and size of the boosting."""

    learning_rate: LearningRate = 0.1
    n_estimators: Rounds = 200
    max_depth: Depth = 6
    subsample: RowShare = 1.0
    colsample_bytree: FeatureShare = 1.0
    reg_lambda: CorrectionPenalty = 1.0


def build(params: XgboostParams, seed: int, problem: str) -> BaseEstimator:
    """Boosted trees with second-order steps (Chen and Guestrin 2016)."""
    import xgboost  # heavy, and there only with the extra "boost"

    settings: dict[str, Any] = {name: getattr(params, name) for name in params.__struct_fields__}
    settings |= {"random_state": seed, "verbosity": 0, "tree_method": "hist"}
    settings["n_jobs"] = joblib.effective_n_jobs(None)  # the job's number of threads, not the machine's
    if problem == CLASSIFICATION:
        return EncodedLabels(xgboost.XGBClassifier(**settings))
    return xgboost.XGBRegressor(**settings)


ALGORITHM = Algorithm(
    key="xgboost",
    title="XGBoost",
    problems=BOTH,
    params=XgboostParams,
    build=build,
    traits=Traits(importance=True, handles_missing=True, handles_categories=True, onnx=True),
    advice="As accurate as histogram gradient boosting, often a little better once tuned.",
    needs="xgboost",
)
