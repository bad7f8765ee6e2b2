"""Ordinary least squares."""

from typing import Annotated

from msgspec import Meta
from sklearn.base import BaseEstimator
from sklearn.linear_model import LinearRegression

from training.algorithms.base import REGRESSION, Algorithm, Params, Traits


class LinearRegressionParams(Params, frozen=True):
    """Shape of the line."""

    fit_intercept: Annotated[bool, Meta(description="Let the line miss the origin.")] = True
    positive: Annotated[bool, Meta(description="Allow no negative coefficient.")] = False


def build(params: LinearRegressionParams, _seed: int, _problem: str) -> BaseEstimator:
    """A linear model without a penalty."""
    return LinearRegression(fit_intercept=params.fit_intercept, positive=params.positive)


ALGORITHM = Algorithm(
    key="linear_regression",
    title="Linear regression",
    problems=frozenset({REGRESSION}),
    params=LinearRegressionParams,
    build=build,
    traits=Traits(importance=True, scale=True, onnx=True),
    advice="For few columns and many rows, where the coefficients themselves are of interest.",
)
