"""A version's twin: the same answers from an ONNX graph, hundreds of times faster for a few rows.

A twin is one ONNX file with 64-bit numbers throughout. Its graph holds the fitted estimators; its metadata
holds the recipe (``registry.inference.recipe``) of what stands before and after them. Nothing in it is run
but ONNX's own operators, and the original pipeline is not needed to answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import onnxruntime
import pandas as pd
from onnxruntime.capi import onnxruntime_pybind11_state as runtime

from registry.errors import ArtifactCorrupt
from registry.inference.encoding import encoder
from registry.inference.foreign import session_options
from registry.inference.heads import answering, mixing
from registry.inference.recipe import Recipe
from registry.inference.table_encoding import table_encoder
from registry.problems.base import Predictions

RECIPE = "mlplatform.recipe"
TOLERANCE = 1e-3
# What the runtime raises on a file that it cannot read, or run; they share no base but Exception.
ONNX_FAILURES = (
    runtime.EPFail,
    runtime.Fail,
    runtime.InvalidArgument,
    runtime.InvalidGraph,
    runtime.InvalidProtobuf,
    runtime.NoModel,
    runtime.NotImplemented,
    runtime.RuntimeException,
    RuntimeError,
    ValueError,
)


class TwinReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a twin came to be: how far it agreed with the original on real rows, or why there is none.

    ``difference`` is the largest between two numbers of the answers; of predicted numbers as a share of the
    largest. ``rows`` were checked; on ``labels`` of them the labels differed. Where there is no twin,
    ``walked`` says the same of the original's stand-ins (``walking.py``).
    """

    reason: str = ""
    rows: int = 0
    labels: int = 0
    difference: float = 0.0
    tolerance: float = TOLERANCE
    seconds: float = 0.0
    walked: "TwinReport | None" = None


class Twin:
    """An opened twin; safe to share between threads."""

    def __init__(self, session: onnxruntime.InferenceSession, recipe: Recipe) -> None:
        self._session = session
        self._encoders = [encoder(member) for member in recipe.members]
        tables = [table_encoder(member) for member in recipe.members]
        self._table_encoders = [encode for encode in tables if encode is not None]
        self._inputs = [f"x{place}" for place in range(len(recipe.members))]
        self._outputs = [f"y{place}" for place in range(len(recipe.members))]
        self._mixed = mixing(recipe.weights, pooled=recipe.pooled)
        self._answer = answering(recipe.head)

    def predict(self, rows: Sequence[Mapping[str, Any]]) -> Predictions:
        """The answers to checked rows (see ``check_rows``), at least one."""
        return self._answered([encode(rows) for encode in self._encoders])

    @property
    def takes_tables(self) -> bool:
        """Whether whole columns can be brought to its graphs at once."""
        return len(self._table_encoders) == len(self._encoders)

    def predict_table(self, frame: pd.DataFrame) -> Predictions:
        """The answers to a canonical frame (see ``coerce_frame``), where ``takes_tables``."""
        return self._answered([encode(frame) for encode in self._table_encoders])

    def _answered(self, encoded: Sequence[Any]) -> Predictions:
        found = self._session.run(self._outputs, dict(zip(self._inputs, encoded, strict=True)))
        return self._answer(self._mixed(found))


@dataclass(frozen=True)
class StoredTwin:
    """A twin's bytes, and what its check found; empty bytes where there is no twin."""

    data: bytes
    report: TwinReport


def open_twin(data: bytes) -> Twin:
    """Return the twin; raises ArtifactCorrupt where the bytes are none. Verify their seal first."""
    try:
        session = onnxruntime.InferenceSession(data, session_options(), providers=["CPUExecutionProvider"])
        told = session.get_modelmeta().custom_metadata_map.get(RECIPE, "")
        return Twin(session, msgspec.json.decode(told.encode(), type=Recipe))
    except (*ONNX_FAILURES, msgspec.MsgspecError) as error:
        raise ArtifactCorrupt(f"The twin cannot be opened ({type(error).__name__}).") from error
