"""What is needed to answer with one version.

Whoever has decoded rows asks ``plan.ask(rows)``: the rows are dictionaries by column name, as ``check_rows``
lets them pass (a number or None, text, true or false, an ISO 8601 date), and are not changed. It gives one
``RowAnswer`` for each row, in their order, and the name of the engine that gave them. It is safe to share a
plan between threads, and nothing in it touches the database. Which engine answers is the plan's own choice:
the twin where there is one and the rows are few, else the walker, the original otherwise. Of a version that
came as ONNX there is nothing but the ONNX.

Requests that arrive together share one call of an engine whose every call is dear (``mlplatform/lines.py``):
not the twin, which answers sooner than another thread could take over.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pandas as pd

from mlplatform.lines import Line
from registry.errors import CannotPredict
from registry.inference.answers import RowAnswer, row_answers
from registry.inference.engines import Engine
from registry.inference.foreign import ForeignModel
from registry.inference.native import predict
from registry.inference.schema import rows_frame
from registry.inference.twins import ONNX_FAILURES, Twin
from registry.inference.walking import Walker
from registry.problems.base import Predictions
from registry.tabular.schema import Column

# What scikit-learn and numpy raise on rows that a pipeline cannot digest.
FAILURES = (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError)


# Up to so many rows the twin is the faster one for every kind of model (see docs/benchmarks.md).
TWIN_ROWS = 200
WALKED_ROWS = 200
# Requests of at most so many rows share a call with others; a call has at most LARGEST_CALL rows.
SHARED_ROWS = 20
LARGEST_CALL = 100

Rows = Sequence[Mapping[str, Any]]
Calls = Line[tuple["Plan", Rows], "Asked"]


@dataclass(frozen=True)
class Asked:
    """One answer for each row, and who gave them: ``remembered`` ones, by position, were computed before."""

    answers: list[RowAnswer]
    engine: Engine
    remembered: Mapping[int, Engine] = field(default_factory=dict)

    def engine_of(self, position: int) -> Engine:
        """Return who computed the answer at this position."""
        return self.remembered.get(position, self.engine)


@dataclass(frozen=True)
class Plan:
    """A loaded pipeline, the columns it wants, the classes it knows (None: regression), and other engines.

    Plans of the same version and tenant, and only those, share their ``calls``.
    """

    pipeline: Any
    columns: Sequence[Column]
    classes: list[str] | None
    twin: Twin | None = None
    walker: Walker | None = None
    calls: Calls | None = None

    def predict(self, frame: pd.DataFrame) -> Predictions:
        """Return the answers for a canonical frame; raises CannotPredict where the pipeline fails."""
        with self._told():
            return predict(self.pipeline, frame, self.classes)

    def predict_table(self, frame: pd.DataFrame, engine: str) -> Predictions:
        """Return the answers of this engine for a canonical frame of many rows; raises CannotPredict."""
        if engine != Engine.ONNX or self.twin is None or not self.twin.takes_tables:
            return self.predict(frame)
        with self._told():
            return self.twin.predict_table(frame)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (*FAILURES, *ONNX_FAILURES) as error:
            personal = any(column.personal for column in self.columns)
            told = type(error).__name__ if personal else f"{type(error).__name__}: {str(error)[:300]}"
            raise CannotPredict(
                f"The model failed on these rows ({told}). "
                "Roll back to an earlier version, and tell whoever trained this one."
            ) from (None if personal else error)

    def answers(self, frame: pd.DataFrame) -> list[RowAnswer]:
        """Return one JSON-ready answer per row; raises CannotPredict."""
        return self._listed(self.predict(frame))

    def _listed(self, answers: Predictions) -> list[RowAnswer]:
        return list(row_answers(answers, labelled=self.classes is not None or answers.scores is not None))

    def ask(self, rows: Rows) -> Asked:
        """Answer checked rows (see ``check_rows``) by the engine that suits their number.

        Raises CannotPredict.
        """
        if self.twin is not None and len(rows) <= TWIN_ROWS:
            with self._told():
                return Asked(self._listed(self.twin.predict(rows)), Engine.ONNX)
        if self.calls is None or len(rows) > SHARED_ROWS:
            return self.called(rows)
        return self.calls.ask((self, rows))

    def called(self, rows: Rows) -> Asked:
        """Answer by one call of an engine other than the twin; raises CannotPredict."""
        if self.walker is None or len(rows) > WALKED_ROWS:
            engine = Engine.ONNX if isinstance(self.pipeline, ForeignModel) else Engine.ORIGINAL
            return Asked(self.answers(rows_frame(rows, self.columns)), engine)
        with self._told():
            return Asked(self._listed(self.walker.predict(rows)), Engine.WALKED)


def new_calls() -> Calls:
    """Return a line for the requests of one version."""
    return Line(_called_for_all, size=_row_count, largest=LARGEST_CALL, failures=(CannotPredict,))


def _row_count(item: tuple[Plan, Rows]) -> int:
    return len(item[1])


def _called_for_all(items: Sequence[tuple[Plan, Rows]]) -> list[Asked]:
    """Answer several requests of one version by one call, each with its own rows' answers."""
    plan = items[0][0]
    asked = plan.called([row for _, rows in items for row in rows])
    answers = iter(asked.answers)
    return [Asked(list(islice(answers, len(rows))), asked.engine) for _, rows in items]
