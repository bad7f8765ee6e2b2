"""How identifying a dataset is, and taking an anonymised copy of it out."""

import io
import json
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any

import pandas as pd
from django.utils import timezone

from mlplatform.csv_cells import safe_cell
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.audit_export import Export
from registry.errors import InvalidChoice
from registry.frames import dataset_frame
from registry.models import Dataset
from registry.privacy.anonymity import as_facts
from registry.privacy.release import LARGEST_K, SMALLEST_K, Choice, Release, release
from registry.services.personal import dataset_marks
from registry.services.pseudonyms import treater
from registry.tabular.schema import Treatment, columns_from_json

ROWS_AT_ONCE = 5_000
BYTES_AT_ONCE = 1 << 20


class TableFormat(StrEnum):
    """How rows leave."""

    csv = "csv"
    parquet = "parquet"
    jsonl = "jsonl"


MEDIA_TYPES = {
    TableFormat.csv: "text/csv",
    TableFormat.parquet: "application/vnd.apache.parquet",
    TableFormat.jsonl: "application/jsonl",
}


def measure(*, dataset: Dataset, choice: Choice, by: Actor) -> dict[str, Any]:
    """Return how identifying the data is, and what an anonymised copy would be; raises InvalidChoice."""
    facts = figures(_release(dataset, choice), choice)
    with tenant_transaction():
        record(by=by, action="dataset.measured", target=dataset, figures=facts)
    return facts


def export_anonymised(
    *, dataset: Dataset, choice: Choice, form: str, by: Actor
) -> tuple[Export[bytes], dict[str, Any]]:
    """Return the anonymised copy as a file on its way, and its figures; raises InvalidChoice."""
    if form not in set(TableFormat):
        hint = f"Choose {', '.join(TableFormat)}."
        raise InvalidChoice(f"There is no format {form!r}. {hint}", fields={"format": [hint]})
    made = _release(dataset, choice)
    facts = figures(made, choice)
    if made.anonymised.frame.empty:
        raise InvalidChoice(
            f"No group of at least {choice.k} rows is left, so nothing may leave. Choose fewer "
            "quasi-identifiers or a smaller k.",
            fields={"k": ["No group is large enough."]},
        )
    with tenant_transaction():
        record(by=by, action="dataset.exported", target=dataset, format=form, figures=facts)
    kind = TableFormat(form)
    name = f"dataset-{dataset.pk}-anonymised-{timezone.now():%Y%m%dT%H%M%SZ}.{form}"
    binary = kind is TableFormat.parquet
    return Export(name, MEDIA_TYPES[kind], WRITERS[kind](made.anonymised.frame), binary), facts


def figures(made: Release, choice: Choice) -> dict[str, Any]:
    """Return what is told of a release: before, after, and what it cost."""
    return {
        "quasi_identifiers": list(choice.quasi),
        "sensitive": choice.sensitive,
        "asked_k": choice.k,
        "before": as_facts(made.before),
        "after": as_facts(made.anonymised.achieved),
        "rows_suppressed": made.anonymised.suppressed,
        "information_lost": round(made.anonymised.loss, 4),
        "levels": made.anonymised.levels,
        "pseudonymised": made.pseudonymised,
        "left_out": made.left_out,
    }


def _release(dataset: Dataset, choice: Choice) -> Release:
    _check(dataset, choice)
    treat, columns = treater(dataset_marks(dataset)), columns_from_json(dataset.columns)
    return release(dataset_frame(dataset), columns, choice, treat)


def _check(dataset: Dataset, choice: Choice) -> None:
    known = {column["name"] for column in dataset.columns}
    dropped = {name for name, mark in dataset_marks(dataset).items() if mark is Treatment.drop}
    sensitive = {choice.sensitive} if choice.sensitive else set()
    named = {"quasi": set(choice.quasi), "sensitive": sensitive, "leave_out": set(choice.leave_out)}
    wrong: dict[str, list[str]] = {}
    for field, names in named.items():
        if unknown := sorted(names - known):
            wrong[field] = [f"No such column: {', '.join(unknown[:5])}."]
        elif field != "leave_out" and (gone := sorted(names & dropped)):
            wrong[field] = [f"Personal, and nothing of it is kept: {', '.join(gone[:5])}."]
    if not choice.quasi:
        wrong.setdefault("quasi", ["Name at least one column that others may know of a person."])
    if twice := sorted(set(choice.quasi) & (sensitive | named["leave_out"]) | sensitive & named["leave_out"]):
        wrong.setdefault("quasi", [f"Chosen for two things at once: {', '.join(twice[:5])}."])
    if not SMALLEST_K <= choice.k <= LARGEST_K:
        wrong["k"] = [f"Must lie between {SMALLEST_K} and {LARGEST_K:,}."]
    if wrong:
        raise InvalidChoice("The data cannot be anonymised like that.", fields=wrong)


def _csv(frame: pd.DataFrame) -> Iterator[bytes]:
    for start in range(0, len(frame), ROWS_AT_ONCE):
        part = frame.iloc[start : start + ROWS_AT_ONCE]
        safe = part.apply(lambda column: column.map(_cell, na_action="ignore"))
        header = [safe_cell(str(name)) for name in frame.columns] if not start else False
        yield safe.to_csv(index=False, header=header, lineterminator="\r\n").encode()


def _cell(value: Any) -> Any:
    return safe_cell(value) if isinstance(value, str) else value


def _jsonl(frame: pd.DataFrame) -> Iterator[bytes]:
    for start in range(0, len(frame), ROWS_AT_ONCE):
        part = frame.iloc[start : start + ROWS_AT_ONCE]
        rows = json.loads(part.to_json(orient="records", date_format="iso", date_unit="us"))
        yield "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _parquet(frame: pd.DataFrame) -> Iterator[bytes]:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False, engine="pyarrow", compression="zstd")
    buffer.seek(0)
    yield from iter(lambda: buffer.read(BYTES_AT_ONCE), b"")


WRITERS: dict[TableFormat, Callable[[pd.DataFrame], Iterator[bytes]]] = {
    TableFormat.csv: _csv,
    TableFormat.parquet: _parquet,
    TableFormat.jsonl: _jsonl,
}
