"""Taking the trail out: as CSV for people, as JSON Lines for programs and for proof."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet

from mlplatform.csv_cells import safe_cell
from mlplatform.errors import InvalidInput
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.chain import SEALED
from mlplatform.tenancy.models import AuditEvent
from mlplatform.tenancy.scope import current_tenant, tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.audit_chain import in_batches

Part = TypeVar("Part", str, bytes)
COLUMNS = (*SEALED, "hash")


class ExportFormat(StrEnum):
    """How the trail leaves."""

    CSV = "csv"
    JSONL = "jsonl"


MEDIA_TYPES = {ExportFormat.CSV: "text/csv", ExportFormat.JSONL: "application/jsonl"}


@dataclass(frozen=True)
class Export(Generic[Part]):
    """A file on its way: its name, its media type, and its lines, or parts, as they are read."""

    name: str
    media_type: str
    lines: Iterator[Part]
    binary: bool = False


def export_trail(
    *, events: QuerySet[AuditEvent], form: str, by: Actor, chosen: Mapping[str, Any] | None = None
) -> Export[str]:
    """Return the events in the chain's order, the export's own entry last; raises InvalidInput.

    ``events`` are the active tenant's, filtered or not; ``chosen`` says how, for the trail. The lines
    are read in short transactions as they are asked for, so an export of any length runs at flat memory.
    """
    if form not in set(ExportFormat):
        hint = f"Choose {' or '.join(ExportFormat)}."
        raise InvalidInput(f"There is no format {form!r}. {hint}", fields={"format": [hint]})
    tenant, kind = current_tenant(), ExportFormat(form)
    with tenant_transaction():
        told = record(by=by, action="audit.exported", target=AuditEvent, format=form, chosen=chosen or {})
    rows = in_batches(events, tenant, upto=told.sequence)
    name = f"audit-{tenant.slug}-{told.at:%Y%m%dT%H%M%SZ}.{form}"
    return Export(name, MEDIA_TYPES[kind], WRITERS[kind](rows))


def json_lines(events: Iterator[AuditEvent]) -> Iterator[str]:
    """Yield one JSON object for each event: the sealed fields, then ``hash``."""
    for event in events:
        yield json.dumps(event.entry(), ensure_ascii=False, allow_nan=False) + "\n"


def csv_lines(events: Iterator[AuditEvent]) -> Iterator[str]:
    """Yield the header and one line for each event, safe to open in a spreadsheet."""
    yield _csv_line(COLUMNS)
    for event in events:
        entry = event.entry()
        yield _csv_line([_cell(entry[name]) for name in COLUMNS])


def _csv_line(cells: Any) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return safe_cell(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


WRITERS: dict[ExportFormat, Callable[[Iterator[AuditEvent]], Iterator[str]]] = {
    ExportFormat.CSV: csv_lines,
    ExportFormat.JSONL: json_lines,
}
