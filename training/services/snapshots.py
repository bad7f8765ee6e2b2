"""Asking a source: a look at its first rows, or a frozen snapshot of all."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pandas as pd
from django.conf import settings as options
from django.utils import timezone

from mlplatform.errors import PlatformError
from mlplatform.outbound.errors import AddressRefused
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.sealed_texts import open_column
from registry.models import Dataset, RegisteredModel
from registry.privacy.treatment import Marks, stricter
from registry.services.datasets import freeze, freeze_parts
from registry.services.personal import check_names, dataset_marks, model_marks
from registry.services.pseudonyms import treater
from registry.tabular.schema import Treatment, infer_schema
from training.errors import SourceRefused
from training.models import DataSource
from training.services.datasets import original
from training.services.sources import checked_settings, note_refusal
from training.sources.budget import Budget
from training.sources.hiding import hide_secret
from training.sources.kinds import Kind, checked_secret, get_kind

PREVIEW_ROWS = 20
LONGEST_CELL = 200
MIN_ROWS, MIN_COLUMNS = 20, 2
Check = Callable[[], None]


@dataclass(frozen=True)
class Preview:
    """The first rows of a source: columns with their types, rows as texts, and how long it took."""

    columns: list[dict[str, Any]]
    rows: list[list[str | None]]
    seconds: float


@dataclass(frozen=True)
class Snapshot:
    """A frozen snapshot, and whether its content is new."""

    dataset: Dataset
    created: bool


def try_source(
    *,
    kind: str,
    settings: Mapping[str, Any],
    by: Actor,
    secret: str = "",
    model: RegisteredModel | None = None,
    personal: Mapping[str, str] | None = None,
) -> Preview:
    """Ask a place that no source names yet for its first rows; nothing is kept.

    Raises InvalidSource, AddressRefused, AddressUnreachable, SourceRefused, SourceDown.
    """
    how = get_kind(kind)
    checked = checked_settings(how, settings, by=by)
    marks = {name: Treatment(one) for name, one in (personal or {}).items()}
    return _previewed(how, checked, checked_secret(how, secret), model, marks, by=by)


def preview_source(*, source: DataSource, by: Actor) -> Preview:
    """Ask the source for its first rows; personal columns are shown as they would be kept.

    Raises what ``try_source`` does, and SealBroken where the credential cannot be opened.
    """
    how = get_kind(source.kind)
    checked = checked_settings(how, source.settings, by=by)
    secret = open_column(source, "credential")
    return _previewed(how, checked, secret, source.model, marks_of(source), by=by, source=source)


def take_snapshot(
    *, source: DataSource, by: Actor, check: Check | None = None, seconds: float = 0
) -> Snapshot:
    """Ask the source for all rows and freeze them; the same content gives the same dataset again.

    ``check`` is called on the way and raises to stop. How it went stands in the source's row. Raises what
    ``preview_source`` does, and what ``freeze`` does.
    """
    budget = Budget(
        rows=options.SOURCE_MAX_ROWS,
        bytes=options.SOURCE_MAX_BYTES,
        seconds=seconds or options.SOURCE_MAX_SECONDS,
        quote=not source.personal,
        check=check or (lambda: None),
    )
    try:
        dataset, created = _taken(source, budget, by)
    except PlatformError as error:
        _note_failure(source, error, by)
        raise
    with tenant_transaction():
        now = timezone.now()
        DataSource.objects.filter(pk=source.pk).update(
            last_snapshot=dataset, last_snapshot_at=now, last_failure=""
        )
        record(
            by=by,
            action="source.snapshot_taken",
            target=source,
            dataset=dataset.pk,
            rows=dataset.rows,
            new_content=created,
        )
    source.refresh_from_db()
    return Snapshot(dataset, created)


def snapshot_in_request(*, source: DataSource, by: Actor) -> Snapshot:
    """Take a snapshot while somebody waits, so in little time; raises what ``take_snapshot`` does."""
    return take_snapshot(source=source, by=by, seconds=options.SOURCE_REQUEST_SECONDS)


def marks_of(source: DataSource) -> dict[str, Treatment]:
    """Return the source's personal columns, with those that its model has."""
    own = {name: Treatment(one) for name, one in source.personal.items()}
    return own if source.model is None else stricter(own, model_marks(source.model))


def _taken(source: DataSource, budget: Budget, by: Actor) -> tuple[Dataset, bool]:
    how = get_kind(source.kind)
    checked = checked_settings(how, source.settings, by=by)
    secret = open_column(source, "credential")
    if how.parts is None:
        return _frozen(source, _asked(source, how, checked, secret, budget, by), by)
    with told_troubles(how, secret, by, source), how.parts(checked, secret, budget, source.model) as parts:
        return freeze_parts(
            name=source.name, parts=parts, by=by, origin=_origin(source), personal=marks_of(source)
        )


def _asked(
    source: DataSource, how: Kind, checked: Any, secret: str, budget: Budget, by: Actor
) -> pd.DataFrame:
    frame = _fetched(how, checked, secret, budget, source.model, by=by, source=source)
    if len(frame) < MIN_ROWS or len(frame.columns) < MIN_COLUMNS:
        raise SourceRefused(
            f"The source gives {len(frame)} rows of {len(frame.columns)} columns; at least {MIN_ROWS} of "
            f"{MIN_COLUMNS} are needed: one input and the column to predict.",
            code="source_too_small",
        )
    return frame


def _origin(source: DataSource) -> dict[str, Any]:
    return {"kind": "source", "source": source.pk, "filename": source.name, "source_kind": source.kind}


def _frozen(source: DataSource, frame: pd.DataFrame, by: Actor) -> tuple[Dataset, bool]:
    marks = marks_of(source)
    check_names(source.personal, map(str, frame.columns))
    parent = None
    if source.model is not None:
        newest = source.model.versions.select_related("dataset").order_by("-number").first()
        parent = original(newest.dataset) if newest else None
        marks = stricter(marks, dataset_marks(parent)) if parent else marks
    known: Marks = {name: one for name, one in marks.items() if name in frame.columns}
    return freeze(
        name=source.name,
        frame=frame,
        by=by,
        origin=_origin(source),
        parent=parent,
        model=source.model,
        personal=known,
    )


def _previewed(
    kind: Kind,
    settings: Any,
    secret: str,
    model: RegisteredModel | None,
    marks: Marks,
    *,
    by: Actor,
    source: DataSource | None = None,
) -> Preview:
    started = time.monotonic()
    budget = Budget(
        rows=options.SOURCE_MAX_ROWS,
        bytes=options.SOURCE_MAX_BYTES,
        seconds=options.SOURCE_REQUEST_SECONDS,
        sample=PREVIEW_ROWS,
        quote=not marks,
    )
    frame = _fetched(kind, settings, secret, budget, model, by=by, source=source)
    schema = infer_schema(frame) if len(frame) else []
    types = {column.name: column.type for column in schema}
    treat = treater({name: one for name, one in marks.items() if name in frame.columns})
    shown = treat.frame(frame)
    columns = [
        {"name": str(name), "type": types.get(str(name), "ignored"), "personal": marks.get(str(name))}
        for name in frame.columns
    ]
    return Preview(columns, _rows(frame, shown), round(time.monotonic() - started, 3))


def _rows(frame: pd.DataFrame, shown: pd.DataFrame) -> list[list[str | None]]:
    """Return each row's cells as text; a column that is left out has none."""
    cells = {str(name): shown[name].tolist() if name in shown else [None] * len(frame) for name in frame}
    return [[_cell(values[place]) for values in cells.values()] for place in range(len(frame))]


def _cell(value: Any) -> str | None:
    return None if value is None or pd.isna(value) else str(value)[:LONGEST_CELL]


def _fetched(
    kind: Kind,
    settings: Any,
    secret: str,
    budget: Budget,
    model: RegisteredModel | None,
    *,
    by: Actor,
    source: DataSource | None,
) -> pd.DataFrame:
    with told_troubles(kind, secret, by, source):
        frame: pd.DataFrame = kind.fetch(settings, secret, budget, model)
    return frame


@contextmanager
def told_troubles(kind: Kind, secret: str, by: Actor, source: DataSource | None) -> Iterator[None]:
    """Take the credential out of what is told of trouble, and record where somebody tried to go inside."""
    try:
        yield
    except PlatformError as error:
        hide_secret(error, secret)
        if isinstance(error, AddressRefused):
            note_refusal(kind.key, error, by=by, source=source)
        raise


def _note_failure(source: DataSource, error: PlatformError, by: Actor) -> None:
    with tenant_transaction():
        DataSource.objects.filter(pk=source.pk).update(
            last_failure=error.detail[:1000], last_failed_at=timezone.now()
        )
        record(by=by, action="source.failed", target=source, code=error.code)
