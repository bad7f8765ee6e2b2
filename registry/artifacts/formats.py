"""Pipelines to bytes and back. Only sealed bytes may be given to ``load``."""

import io
import pickle
from typing import Any

import joblib

from registry.errors import ArtifactCorrupt

COMPRESSION = 3
UNREADABLE = (
    AttributeError,
    EOFError,
    ImportError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
)


def dump(pipeline: Any) -> bytes:
    """Return the pipeline as joblib bytes."""
    buffer = io.BytesIO()
    joblib.dump(pipeline, buffer, compress=COMPRESSION)
    return buffer.getvalue()


def load(data: bytes) -> Any:
    """Return the pipeline; raises ArtifactCorrupt where the installed libraries cannot read it.

    Runs whatever the bytes say: verify their seal first.
    """
    try:
        return joblib.load(io.BytesIO(data))
    except UNREADABLE as error:
        raise ArtifactCorrupt(
            f"The artefact cannot be read with the installed libraries ({type(error).__name__}: {error}). "
            "Install the releases named in the version's environment, or train it again."
        ) from error
