"""Answering one piece of a batch's input."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import IO, Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
from django.utils import timezone

from mlplatform.tenancy.scope import tenant_transaction
from registry.inference.answers import row_answers
from registry.inference.engines import Engine
from registry.inference.files import frame_rows
from registry.inference.plan import Plan
from registry.inference.schema import RowError
from registry.models import ModelVersion
from registry.models.prediction import time_ordered_uuids
from registry.models.registered_model import ProblemKind
from registry.privacy.treatment import Treater, stricter
from registry.problems.base import Predictions
from registry.services.explanations import usual_rows
from registry.services.personal import dataset_marks, model_marks
from registry.services.plans import plan_for
from registry.services.pseudonyms import entity_pseudonyms, treater
from training.batching.answering import Reasons, answer_columns, joined_answers, with_gaps
from training.batching.cutting import Cut
from training.batching.judging import Judged, judged
from training.batching.layouts import Layout
from training.batching.reading import read_runs
from training.batching.reasons import reasons_of
from training.batching.taken import Taken
from training.models import BatchJob, BatchPart, FileForm
from training.services.batch_claims import Pace
from training.services.batch_engines import MOST_ROWS, chosen_engine
from training.services.batch_files import open_kept
from training.services.batch_options import Options, learnt_bounds, wanted_columns

SCORES: dict[str, str] = {ProblemKind.ANOMALY_DETECTION: "score", ProblemKind.CLUSTERING: "distance"}
FIRST_RUN, SECONDS_AT_ONCE = 2_000, 1.0
CARRIED = "input."  # before the name of a column that is called like one of the answers


@dataclass
class Piece:
    """What there is to tell of a piece beside its answers: counts, what is wrong with rows, rows for the log.

    Errors count rows from 0 within the piece.
    """

    rows: int = 0
    bad_rows: int = 0
    errors: list[RowError] = field(default_factory=list)
    log: list[dict[str, Any]] = field(default_factory=list)

    def add(self, found: Judged, log: list[dict[str, Any]]) -> None:
        """Count the next rows."""
        self.errors += [{**error, "row": self.rows + error["row"]} for error in found.errors]
        self.rows += len(found.fits)
        self.bad_rows += int((~found.fits).sum())
        self.log += log


class Answering:
    """How a batch is answered: the job's version and options, the same for each of its pieces."""

    def __init__(self, job: BatchJob, pace: Pace) -> None:
        self.job, self.pace, self.at_once = job, pace, FIRST_RUN
        self.version: ModelVersion = job.version
        self.options = msgspec.convert(job.options, Options)
        self.layout = msgspec.convert(job.layout, Layout)
        with tenant_transaction():
            self.plan: Plan = plan_for(self.version)
            self.treat: Treater = treater(_marks(job))
        self.columns = list(self.plan.columns)
        self.labelled = self.version.classes is not None or job.model.problem_type in SCORES

    def answers(self, part: BatchPart, piece: Piece) -> Iterator[pa.Table]:
        """Read the piece and ask the version, run by run, and note in ``piece`` what there is to tell.

        Raises UnreadableFile and CannotPredict.
        """
        kept = self.options.kept(self.layout.names)
        for taken in self._taken(msgspec.convert(part.cut, Cut), kept):
            self.pace()
            found = judged(taken, self.columns)
            columns, log = self._asked(_fitting(found), taken, found)
            answers = with_gaps(columns, found.fits)
            carried = self._carried(taken.table.select(kept), set(answers))
            piece.add(found, log)
            yield pa.table({**carried, **answers})

    def engine_for(self, cut: Cut) -> Engine:
        """Return who is to answer all pieces, measured on the first rows of this one."""
        frames: list[pd.DataFrame] = []
        for taken in self._taken(cut, []):
            frames.append(_fitting(judged(taken, self.columns)))
            if sum(map(len, frames)) >= MOST_ROWS:
                break
        return chosen_engine(self.plan, pd.concat(frames, ignore_index=True))

    def _taken(self, cut: Cut, kept: list[str]) -> Iterator[Taken]:
        with open_input(self.job) as file:
            yield from read_runs(file, self.layout, cut, wanted_columns(self.version), kept)

    def _asked(
        self, frame: pd.DataFrame, taken: Taken, found: Judged
    ) -> tuple[dict[str, pa.Array], list[dict[str, Any]]]:
        parts, log = [], []
        rows = np.flatnonzero(found.fits)
        runs = self._runs(frame) if len(frame) else [(0, self._nothing())]
        for start, answers in runs:
            some = frame.iloc[start : start + len(answers)]
            reasons = self._reasons(some, answers) if self.options.reasons else None
            parts.append(self._columns(answers, reasons))
            if self.options.log and len(answers):
                log += self._logged(taken, rows[start : start + len(answers)], answers)
        return joined_answers(parts), log

    def _runs(self, frame: pd.DataFrame) -> Iterator[tuple[int, Predictions]]:
        """Ask for runs of rows that take about a second each, and beat after each."""
        start = 0
        while start < len(frame):
            began, count = time.monotonic(), self.at_once
            yield start, self.plan.predict_table(frame.iloc[start : start + count], self.job.engine)
            start += count
            self.pace()
            if time.monotonic() - began < SECONDS_AT_ONCE / 4:
                self.at_once = 4 * count

    def _nothing(self) -> Predictions:
        """Return the answers to no rows, which have the columns of all others."""
        classes = list(self.version.classes or [])
        gives = self.labelled and hasattr(self.plan.pipeline, "predict_proba") and bool(classes)
        return Predictions(
            values=np.empty(0, dtype=object if self.labelled else "float64"),
            probabilities=np.empty((0, len(classes))) if gives else None,
            classes=classes or None,
            scores=np.empty(0) if self.job.model.problem_type in SCORES else None,
        )

    def _columns(self, answers: Predictions, reasons: Reasons | None) -> dict[str, pa.Array]:
        coverage = self.options.coverage
        return answer_columns(
            answers,
            labelled=self.labelled,
            score=SCORES.get(self.job.model.problem_type),
            probabilities=self.options.probabilities,
            bounds=None if coverage is None else learnt_bounds(self.version, coverage),
            reasons=reasons,
        )

    def _reasons(self, frame: pd.DataFrame, answers: Predictions) -> Reasons:
        return reasons_of(
            lambda rows: self.plan.predict_table(rows, self.job.engine),
            frame,
            _usual(self.version),
            answers,
            count=min(self.options.reasons, frame.shape[1]) or 1,
            personal=frozenset(self.treat.marks),
            pace=self.pace,
        )

    def _carried(self, table: pa.Table, answers: set[str]) -> dict[str, pa.ChunkedArray]:
        """Return the columns that stand beside the answers: personal ones as they are marked."""
        if not set(self.treat.marks).isdisjoint(table.column_names):
            table = self._treated(table)
        numbers = {one.name for one in self.columns if one.type in {"numeric", "integer"}}
        columns = {}
        for name, column in zip(table.column_names, table.columns, strict=True):
            called = f"{CARRIED}{name}" if name in answers else name
            columns[called] = self._of_one_kind(column, name in numbers)
        return columns

    def _treated(self, table: pa.Table) -> pa.Table:
        sent = self.job.dataset is None and self.job.source is None
        key = self.options.key if sent else None  # the caller's own names come back
        marks = {name: mark for name, mark in self.treat.marks.items() if name != key}
        treat = Treater(marks, self.treat.key)
        for name in [one for one in table.column_names if one in marks]:
            place = table.column_names.index(name)
            shown = treat.frame(table.select([name]).to_pandas())
            table = table.remove_column(place)
            if name in shown:
                texts = pa.array(shown[name], pa.string(), from_pandas=True)
                table = table.add_column(place, name, pa.chunked_array([texts]))
        return table

    def _of_one_kind(self, column: pa.ChunkedArray, number: bool) -> pa.ChunkedArray:
        """Return the column with the type that it has in every piece, which Parquet asks for."""
        if self.job.form != FileForm.PARQUET or self.layout.form in {"parquet", "arrow"}:
            return column
        if not number:
            return column.cast(pa.string())
        if pa.types.is_string(column.type):
            numbers = pd.to_numeric(column.to_pandas(), errors="coerce").astype("float64")
            return pa.chunked_array([pa.array(numbers, pa.float64(), from_pandas=True)])
        return column

    def _logged(self, taken: Taken, places: Any, answers: Predictions) -> list[dict[str, Any]]:
        """Return what the log keeps of these answers; a key is kept as its pseudonym."""
        names = [column.name for column in wanted_columns(self.version)]
        some = taken.table.take(pa.array(places, pa.int64()))
        rows = frame_rows(some.select(names).to_pandas(date_as_object=False), self.columns)
        keys = [""] * len(rows)
        if self.options.key:
            keys = ["" if key is None else str(key)[:200] for key in some[self.options.key].to_pylist()]
        now, treat = timezone.now(), treater(model_marks(self.job.model))
        return [
            {
                "id": name,
                "model_id": self.job.model_id,
                "version_id": self.version.pk,
                "entity_key": entity,
                "features": treat.row(row),
                "label": answer.label or "",
                "value": answer.value,
                "probabilities": answer.probabilities,
                "engine": self.job.engine,
                "latency_ms": 0.0,
                "request_id": f"batch-{self.job.pk}",
                "asked_by": self.job.created_by,
                "created_at": now + timedelta(microseconds=place),
            }
            for place, (name, row, answer, entity) in enumerate(
                zip(
                    time_ordered_uuids(len(rows)),
                    rows,
                    row_answers(answers, labelled=self.labelled),
                    entity_pseudonyms(keys),
                    strict=True,
                )
            )
        ]


@lru_cache(maxsize=4)
def _usual(version: ModelVersion) -> pd.DataFrame:
    """Return what is usual, read once for all pieces: it takes the rows that the version was trained on."""
    return usual_rows(version, plan_for(version))


def _marks(job: BatchJob) -> Any:
    marks = [model_marks(job.model)]
    if job.dataset is not None:
        marks.append(dataset_marks(job.dataset))
    if job.source is not None:
        marks.append(dict(job.source.personal))
    return stricter(*marks)


def _fitting(found: Judged) -> pd.DataFrame:
    return found.frame if found.fits.all() else found.frame[found.fits].reset_index(drop=True)


def open_input(job: BatchJob) -> IO[bytes]:
    """Open the file that the job's pieces are cut from."""
    path = job.input_file if job.input_file or job.dataset is None else job.dataset.file
    return open_kept(path)
