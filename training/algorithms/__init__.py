"""The algorithms that models are trained with, one file each. Pure code, no Django."""

from training.algorithms.base import Algorithm, Params, Traits
from training.algorithms.errors import InvalidParameters, UnknownAlgorithm, UnsuitableAlgorithm
from training.algorithms.parameters import describe_params, parse_params
from training.algorithms.table import ALGORITHMS, KNOWN, algorithms_for, get_algorithm

__all__ = [
    "ALGORITHMS",
    "KNOWN",
    "Algorithm",
    "InvalidParameters",
    "Params",
    "Traits",
    "UnknownAlgorithm",
    "UnsuitableAlgorithm",
    "algorithms_for",
    "describe_params",
    "get_algorithm",
    "parse_params",
]
