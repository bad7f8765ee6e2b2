"""What the platform must know of an algorithm to offer, check, build and explain it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from sklearn.base import BaseEstimator

CLASSIFICATION = "classification"
REGRESSION = "regression"
ANOMALY = "anomaly_detection"
CLUSTERING = "clustering"
BOTH = frozenset({CLASSIFICATION, REGRESSION})


class Params(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Base of the hyper-parameters. Each field has a default, bounds, a description and a search range.

    A field's ``extra={"search": ...}`` is either ``{"low", "high", "log"}`` or ``{"choices"}``.
    """


@dataclass(frozen=True)
class Traits:
    """What preprocessing, serving and explanation may rely on."""

    probabilities: bool = True
    """Classifiers give class probabilities."""
    importance: bool = False
    """The fitted model ranks its inputs by itself."""
    incremental: bool = False
    """Learns from further rows without starting anew (``partial_fit``)."""
    handles_missing: bool = False
    """Missing numbers need no imputation."""
    handles_categories: bool = False
    """Numbered categories serve as well as one column each."""
    category_sets: str = ""
    """The estimator's parameter that takes the places of numbered categories, to split them by sets."""
    scale: bool = False
    """Works on distances or penalties, so numbers must share a scale."""
    onnx: bool = False
    """A twin in ONNX gives the same answers."""


Builder = Callable[[Any, int, str], BaseEstimator]


@dataclass(frozen=True)
class Algorithm:
    """One line of the table. ``build(params, seed, problem_key)`` makes the unfitted estimator."""

    key: str
    title: str
    problems: frozenset[str]
    params: type[Params]
    build: Builder
    traits: Traits
    advice: str
    needs: str | None = None
    """The package that must be installed, where it is not one of the platform's own."""
