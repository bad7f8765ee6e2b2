"""LightGBM."""

import warnings
from typing import Annotated, Any

import joblib
from msgspec import Meta
from sklearn.base import BaseEstimator

from training.algorithms.base import BOTH, CLASSIFICATION, Algorithm, Params, Traits
from training.algorithms.fields import CorrectionPenalty, FeatureShare, LearningRate, Leaves, Rounds, RowShare


class LightgbmParams(Params, frozen=True):
    """Pace and size of the boosting."""

    learning_rate: LearningRate = 0.1
    n_estimators: Rounds = 200
    num_leaves: Leaves = 31
    min_child_samples: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            description="Fewest training rows that a leaf may rest on.",
            extra={"search": {"low": 5, "high": 50, "log": True}},
        ),
    ] = 20
    colsample_bytree: FeatureShare = 1.0
    subsample: RowShare = 1.0
    reg_lambda: CorrectionPenalty = 0.0


def build(params: LightgbmParams, seed: int, problem: str) -> BaseEstimator:
    """Boosted trees grown leaf by leaf (Ke et al. 2017)."""
    import lightgbm  # heavy, and there only with the extra "boost"

    # As an estimator's parameter it is heeded, and survives a clone, which an argument of "fit" would not.
    warnings.filterwarnings("ignore", "categorical_feature keyword has been found", UserWarning)
    settings: dict[str, Any] = {name: getattr(params, name) for name in params.__struct_fields__}
    # Without "deterministic" the sums, and so the trees, hang on the order in which threads finish.
    # The job's number of threads, not the machine's.
    settings |= {"n_jobs": joblib.effective_n_jobs(None), "subsample_freq": int(params.subsample < 1)}
    settings |= {"random_state": seed, "verbosity": -1, "deterministic": True, "force_row_wise": True}
    boosting = lightgbm.LGBMClassifier if problem == CLASSIFICATION else lightgbm.LGBMRegressor
    return boosting(**settings)


ALGORITHM = Algorithm(
    key="lightgbm",
    title="LightGBM",
    problems=BOTH,
    params=LightgbmParams,
    build=build,
    traits=Traits(
        importance=True,
        handles_missing=True,
        handles_categories=True,
        category_sets="categorical_feature",
        onnx=True,
    ),
    advice="The fastest boosting on large tables, and as accurate as the others.",
    needs="lightgbm",
)
