"""Answering with an ONNX file from outside, as if it were a fitted scikit-learn model.

What the file's inputs and outputs mean stands in a ``Binding``, which was found when the file was taken and
is kept in the file's own metadata: there is no pipeline beside it, and nothing is run but ONNX's operators.
"""

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import onnxruntime
import pandas as pd

BINDING = "mlplatform.binding"
KINDS = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(bool)": "bool",
    "tensor(string)": "str",
}


class Input(msgspec.Struct, frozen=True):
    """One input of the graph: the columns that it takes side by side, as what, flat (n,) or not (n, d)."""

    name: str
    columns: list[str]
    kind: str
    flat: bool = False


class Binding(msgspec.Struct, frozen=True):
    """Which columns go in, and what comes out: ``classes`` in the order of the probabilities.

    Of a classifier ``output`` are its probabilities, or where ``labels`` is true its labels; of a regression
    the numbers (classes None).
    """

    inputs: list[Input]
    output: str
    classes: list[str] | None = None
    labels: bool = False


class ForeignModel:
    """An opened file; safe to share between threads."""

    def __init__(self, session: onnxruntime.InferenceSession, binding: Binding) -> None:
        self._session, self.binding = session, binding

    def _answers(self, frame: pd.DataFrame) -> npt.NDArray[Any]:
        fed = {one.name: _fed(frame, one) for one in self.binding.inputs}
        found = np.asarray(self._session.run([self.binding.output], fed)[0])
        if len(found) != len(frame):
            raise ValueError(f"The file gave {len(found)} answers to {len(frame)} rows.")
        return found


class ForeignRegressor(ForeignModel):
    """Predicts numbers."""

    def predict(self, frame: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Numbers (n,)."""
        found = self._answers(frame).astype("float64")
        if found.size != len(frame):
            raise ValueError(f"The file gave answers of shape {found.shape}, not one number a row.")
        return found.reshape(-1)


class ForeignLabeller(ForeignModel):
    """Predicts labels."""

    @property
    def classes_(self) -> list[str]:
        """The labels."""
        return list(self.binding.classes or [])

    def predict(self, frame: pd.DataFrame) -> npt.NDArray[Any]:
        """Labels (n,): a number that is no label itself is the place of one."""
        known = self.classes_
        return np.array([_label(value, known) for value in self._answers(frame).reshape(-1)], dtype=object)


class ForeignClassifier(ForeignModel):
    """Predicts probabilities."""

    @property
    def classes_(self) -> list[str]:
        """The labels, in the order of the probabilities."""
        return list(self.binding.classes or [])

    def predict_proba(self, frame: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Probabilities (n, k); of two classes the file may give the second one's alone."""
        found: npt.NDArray[np.float64] = self._answers(frame).astype("float64").reshape(len(frame), -1)
        if found.shape[1] == 1 and len(self.classes_) == 2:
            found = np.column_stack([1 - found, found])
        if found.shape[1] != len(self.classes_):
            raise ValueError(f"The file gave {found.shape[1]} numbers a row, not one for each class.")
        if not np.isfinite(found).all() or found.min(initial=0) < -1e-6 or found.max(initial=0) > 1 + 1e-6:
            raise ValueError("The file's numbers are no probabilities: they do not lie between 0 and 1.")
        return found

    def predict(self, frame: pd.DataFrame) -> npt.NDArray[Any]:
        """The likeliest labels (n,)."""
        labels: npt.NDArray[Any] = np.asarray(self.classes_, dtype=object)
        chosen: npt.NDArray[Any] = labels[self.predict_proba(frame).argmax(axis=1)]
        return chosen


def open_foreign(data: bytes) -> ForeignModel:
    """Return the model of a file that carries its binding.

    Raises what the runtime raises (``ONNX_FAILURES``) and msgspec's errors. Verify the file's seal first.
    """
    session = onnxruntime.InferenceSession(data, session_options(), providers=["CPUExecutionProvider"])
    told = session.get_modelmeta().custom_metadata_map.get(BINDING, "")
    return bound(session, msgspec.json.decode(told.encode(), type=Binding))


def bound(session: onnxruntime.InferenceSession, binding: Binding) -> ForeignModel:
    """Return the model of an opened file with this meaning."""
    if binding.classes is None:
        return ForeignRegressor(session, binding)
    return (ForeignLabeller if binding.labels else ForeignClassifier)(session, binding)


def session_options() -> onnxruntime.SessionOptions:
    """Return how graphs are run: on one core, since requests run beside each other already."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3  # errors come as exceptions
    return options


def _fed(frame: pd.DataFrame, one: Input) -> npt.NDArray[Any]:
    if one.kind == "str":
        texts = [frame[name].fillna("").astype(object).to_numpy() for name in one.columns]
        values = np.column_stack(texts).astype(object)
    else:
        values = frame[one.columns].to_numpy(dtype="float64", na_value=np.nan)
        if one.kind.startswith(("int", "bool")) and np.isnan(values).any():
            raise ValueError(f"The file takes no missing value in {', '.join(one.columns)}.")
        values = values.astype(one.kind)
    return values.reshape(-1) if one.flat else values


def _label(value: Any, known: list[str]) -> str:
    text = str(value)
    if text in known or not isinstance(value, int | np.integer):
        return text
    return known[int(value)] if 0 <= int(value) < len(known) else text
