"""Pipelines to bytes and back. Only sealed bytes may be given to ``load``.

Our own pipelines are joblib; what came from outside stays as it came, skops or ONNX, and is never a pickle.
"""

import io
import pickle
from typing import Any

import joblib
import msgspec

from registry.errors import ArtifactCorrupt
from registry.exchange.content import Form, Refused, recognise
from registry.inference.foreign import open_foreign
from registry.inference.twins import ONNX_FAILURES

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
    form = form_of(data)
    try:
        if form is Form.SKOPS:
            # skops loads all of scikit-learn, which most processes never need.
            from registry.exchange.skops_files import open_skops

            return open_skops(data)
        return joblib.load(io.BytesIO(data)) if form is None else open_foreign(data)
    except (*UNREADABLE, *ONNX_FAILURES, Refused, msgspec.MsgspecError) as error:
        raise ArtifactCorrupt(
            f"The artefact cannot be read with the installed libraries ({type(error).__name__}: {error}). "
            "Install the releases named in the version's environment, or train it again."
        ) from error


def form_of(data: bytes) -> Form | None:
    """Return the format of an artefact that came from outside, None for one of our own."""
    try:
        return recognise(data)
    except Refused:
        return None
