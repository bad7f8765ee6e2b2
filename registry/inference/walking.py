"""The fitted model itself, asked about a few rows without scikit-learn's tables and checks.

For what has no twin in ONNX: a vote over estimators of which one cannot be expressed, or a pipeline with a
step of its own. A walker is a copy of the fitted model in which whatever is known has a light stand-in
(``light.py``): the trees are walked all at once, and rows become numbers as they do before a twin. What is
not known stays what it is. Whether all that answers as the original does is checked on real rows before
anybody is answered by it (``agreement.py``).
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import pandas as pd
import sklearn
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import StackingClassifier, StackingRegressor, VotingClassifier, VotingRegressor
from sklearn.pipeline import Pipeline

from registry.inference.encoding import encoder
from registry.inference.errors import NoTwin
from registry.inference.light import light_estimator, light_step, named, takes_arrays
from registry.inference.native import predict
from registry.inference.preparing import preparation
from registry.inference.recipe import Member
from registry.inference.schema import rows_frame
from registry.inference.unsupervised import is_clustering, is_detector
from registry.problems.base import Predictions
from registry.tabular.schema import NUMBER_TYPES, Column

# Where the models inside a model are. The platform's own say so themselves, under ``inner_models``.
INNER: dict[type[Any], tuple[str, ...]] = {
    StackingClassifier: ("estimators_", "final_estimator_"),
    StackingRegressor: ("estimators_", "final_estimator_"),
    TransformedTargetRegressor: ("regressor_",),
    VotingClassifier: ("estimators_",),
    VotingRegressor: ("estimators_",),
}
AFTER_OTHERS = "final_estimator_"  # is given the answers of the others, not the rows


class Walker:
    """A fitted model with its stand-ins; safe to share between threads."""

    def __init__(self, pipeline: Any, columns: Sequence[Column], classes: Sequence[str] | None) -> None:
        """Copy the model; raises NoTwin for a detector or a clustering."""
        if is_detector(pipeline) or is_clustering(pipeline):
            raise NoTwin("What predicts nothing is answered by the original alone.")
        self._columns, self._classes = list(columns), classes
        self._model = _stand_in(pipeline, {column.name: column for column in columns})

    def predict(self, rows: Sequence[Mapping[str, Any]]) -> Predictions:
        """The answers to checked rows (see ``check_rows``), at least one."""
        sent: Any = Sent(rows, self._columns)  # passes for a frame: whoever reads it knows it
        # The parameters were checked when the model was fitted.
        with sklearn.config_context(skip_parameter_validation=True):
            return predict(self._model, sent, self._classes)


class Sent:
    """Rows as sent, and the table of them, which is made where a step asks for it."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[Column]) -> None:
        self.rows = rows
        self._columns = columns

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The canonical frame of the rows."""
        return rows_frame(self.rows, self._columns)


class _Steps:
    """A pipeline, or a bare model, whose steps have stand-ins; has ``predict_proba`` where the model has."""

    def __init__(self, pipeline: Any, columns: Mapping[str, Column] | None) -> None:
        """Take rows as sent where the columns are given, else arrays."""
        steps = [step for _, step in pipeline.steps] if isinstance(pipeline, Pipeline) else [pipeline]
        *before, model = [step for step in steps if step is not None and not isinstance(step, str)]
        self._read: Callable[[Any], Any] = lambda x: x
        if columns is not None:
            self._read, before = _reading(pipeline, before, columns)
        self._steps = [light_step(step) for step in before]
        self._model, self._original = _stand_in(model, None), model
        if hasattr(model, "classes_"):
            self.classes_ = model.classes_
        if hasattr(self._model, "predict_proba"):
            self.predict_proba = lambda x: self._model.predict_proba(self._before(x))
        self.predict = lambda x: self._model.predict(self._before(x))

    def _before(self, x: Any) -> Any:
        x = self._read(x)
        for step in self._steps:
            x = step(x)
        return named(self._original, x) if self._model is self._original else x


def _stand_in(model: Any, columns: Mapping[str, Column] | None) -> Any:
    """The model's stand-in; where columns are given it takes rows as sent, else arrays."""
    inner = getattr(model, "inner_models", None) or INNER.get(type(model))
    if inner is None:
        steps = columns is not None or isinstance(model, Pipeline)
        return _Steps(model, columns) if steps else light_estimator(model)
    copied = copy.copy(model)
    for name in inner:
        given, found = (None if name == AFTER_OTHERS else columns), getattr(model, name)
        several = isinstance(found, list)
        made = [_stand_in(one, given) for one in (found if several else [found])]
        setattr(copied, name, made if several else made[0])
    return copied


def _reading(
    pipeline: Any, steps: list[Any], columns: Mapping[str, Column]
) -> tuple[Callable[[Sent], Any], list[Any]]:
    """How rows become what a step takes, and the steps that are left from that one on."""
    try:
        prepared = preparation(pipeline)
    except NoTwin:
        return lambda sent: sent.frame, steps
    whole_table = prepared.rest == steps  # no step is in the recipe: it reads bare numbers
    if whole_table and not (_numbers(pipeline, columns) and all(takes_arrays(one) for one in steps[:1])):
        return lambda sent: sent.frame, steps
    encode = encoder(Member(prepared.parts, prepared.keep))
    return lambda sent: encode(sent.rows), prepared.rest


def _numbers(pipeline: Any, columns: Mapping[str, Column]) -> bool:
    names = [str(name) for name in pipeline.feature_names_in_]
    return all(name in columns and columns[name].type in NUMBER_TYPES for name in names)
