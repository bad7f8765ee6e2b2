"""Gaussian naive Bayes."""

from typing import Annotated

import numpy as np
from msgspec import Meta
from sklearn.base import BaseEstimator
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from training.algorithms.base import CLASSIFICATION, Algorithm, Params, Traits


class NaiveBayesParams(Params, frozen=True):
    """Smoothing."""

    var_smoothing: Annotated[
        float,
        Meta(
            ge=1e-12,
            le=1,
            description="Widens each column's spread, as a share of the widest; more is calmer.",
            extra={"search": {"low": 1e-6, "high": 1.0, "log": True}},
        ),
    ] = 1e-2


def build(params: NaiveBayesParams, _seed: int, _problem: str) -> BaseEstimator:
    """A bell curve for each column and class, as if columns were independent.

    Inputs are cut at ten deviations: far out every class is so unlikely that rounding decides.
    """
    cut = FunctionTransformer(np.clip, kw_args={"a_min": -10, "a_max": 10}, feature_names_out="one-to-one")
    return make_pipeline(cut, GaussianNB(var_smoothing=params.var_smoothing))


ALGORITHM = Algorithm(
    key="naive_bayes",
    title="Naive Bayes",
    problems=frozenset({CLASSIFICATION}),
    params=NaiveBayesParams,
    build=build,
    traits=Traits(scale=True, onnx=True),
    advice="Learns from a handful of rows in no time; its probabilities are too sure of themselves.",
)
