"""From a canonical frame to the numbers that algorithms take. Pure code, no Django."""

from training.preprocessing.describe import describe_options, describe_pipeline
from training.preprocessing.errors import InvalidPreprocessing, NoUsableColumns
from training.preprocessing.options import Preprocessing, check_fits, parse_preprocessing, plain
from training.preprocessing.pipeline import build_pipeline

__all__ = [
    "InvalidPreprocessing",
    "NoUsableColumns",
    "Preprocessing",
    "build_pipeline",
    "check_fits",
    "describe_options",
    "describe_pipeline",
    "parse_preprocessing",
    "plain",
]
