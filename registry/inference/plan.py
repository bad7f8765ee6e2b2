"""What is needed to answer with one version.

Whoever has decoded rows asks ``plan.ask(rows)``: the rows are dictionaries by column name, as ``check_rows``
lets them pass (a number or None, text, true or false, an ISO 8601 date), and are not changed. It gives one
``RowAnswer`` for each row, in their order, and the name of the engine that gave them. It is safe to share a
plan between threads, and nothing in it touches the database. Which engine answers is the plan's own choice:
the twin where there is one and the rows are few, the original otherwise.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pandas as pd

from registry.errors import CannotPredict
from registry.inference.answers import RowAnswer, row_answers
from registry.inference.engines import Engine
from registry.inference.native import predict
from registry.inference.schema import rows_frame
from registry.inference.twins import ONNX_FAILURES, Twin
from registry.problems.base import Predictions
from registry.tabular.schema import Column

# What scikit-learn and numpy raise on rows that a pipeline cannot digest.
FAILURES = (ArithmeticError, AttributeError, IndexError, KeyError, TypeError, ValueError)


# Up to so many rows the twin is the faster one for every kind of model (see docs/benchmarks.md).
TWIN_ROWS = 200


@dataclass(frozen=True)
class Asked:
    """One answer for each row, and who gave them all."""

    answers: list[RowAnswer]
    engine: Engine


@dataclass(frozen=True)
class Plan:
    """A loaded pipeline, the columns it wants, the classes it knows (None: regression), and its twin."""

    pipeline: Any
    columns: Sequence[Column]
    classes: list[str] | None
    twin: Twin | None = None

    def predict(self, frame: pd.DataFrame) -> Predictions:
        """Return the answers for a canonical frame; raises CannotPredict where the pipeline fails."""
        with self._told():
            return predict(self.pipeline, frame, self.classes)

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

    def ask(self, rows: Sequence[Mapping[str, Any]]) -> Asked:
        """Answer checked rows (see ``check_rows``) by the engine that suits their number.

        Raises CannotPredict.
        """
        if self.twin is None or len(rows) > TWIN_ROWS:
            return Asked(self.answers(rows_frame(rows, self.columns)), Engine.ORIGINAL)
        with self._told():
            answers = self.twin.predict(rows)
        return Asked(self._listed(answers), Engine.ONNX)
