"""From a canonical frame to the numbers that algorithms take. Pure code, no Django."""

from training.preprocessing.describe import describe_pipeline
from training.preprocessing.errors import NoUsableColumns
from training.preprocessing.pipeline import build_pipeline

__all__ = ["NoUsableColumns", "build_pipeline", "describe_pipeline"]
