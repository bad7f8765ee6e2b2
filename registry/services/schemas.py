"""What people know better of a dataset's columns: type, unit and description. The content never changes."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from registry.errors import InvalidColumns
from registry.models import Dataset
from registry.services.described import described_anew
from registry.services.personal import check_names, dataset_marks
from registry.services.pseudonyms import treater
from registry.tabular.columns import Column, ColumnType, columns_from_json, columns_to_json
from registry.tabular.errors import SchemaMismatch

LONGEST = {"unit": 40, "description": 500}
Edits = Mapping[str, Mapping[str, str]]


def edit_columns(*, dataset: Dataset, changes: Edits, by: Actor) -> Dataset:
    """Change types, units and descriptions of columns, by name; what is not named stays as it is.

    ``changes`` maps a column to some of ``type``, ``unit`` and ``description``. A column of another type is
    profiled anew from the file. Trainings from now on use what is said here; versions keep what they were
    trained with.

    Raises InvalidMarks for an unknown column, and InvalidColumns for an unknown type, a text that is too
    long, or values that are not of the type.
    """
    check_names(changes, (column["name"] for column in dataset.columns))
    wanted = {name: _checked(name, change) for name, change in changes.items()}
    types = {column.name: column.type for column in columns_from_json(dataset.columns)}
    chosen = {name: ColumnType(one["type"]) for name, one in wanted.items() if "type" in one}
    retyped = {name: kind for name, kind in chosen.items() if kind is not types[name]}
    columns, profile = _anew(dataset, types | retyped, retyped) if retyped else ([], {})
    with tenant_transaction():
        dataset = Dataset.objects.select_for_update().get(pk=dataset.pk)
        before = columns_from_json(dataset.columns)
        fresh = {column.name: column for column in columns if column.name in retyped}
        after = [_edited(one, fresh.get(one.name), wanted.get(one.name, {})) for one in before]
        treat = treater(dataset_marks(dataset))
        dataset.columns = columns_to_json(treat.columns(after))
        if retyped:
            described = {name: profile["columns"][name] for name in retyped}
            merged = {**dataset.profile["columns"], **described}
            dataset.profile = treat.profile({**profile, "columns": merged})
        if after != before:
            dataset.save(update_fields=["columns", "profile"])
            told = [_told(one, changes) for one in (before, after)]
            record(by=by, action="dataset.columns_described", target=dataset, before=told[0], after=told[1])
    return dataset


def _checked(name: str, change: Mapping[str, str]) -> dict[str, str]:
    unknown = set(change) - {"type", *LONGEST}
    if unknown:
        raise _refused(name, f"{', '.join(sorted(unknown))} cannot be set. Set type, unit or description.")
    if "type" in change and change["type"] not in set(ColumnType):
        raise _refused(name, f"There is no type {change['type']!r}. Choose one of: {', '.join(ColumnType)}.")
    cleaned = {key: " ".join(str(value).split()) for key, value in change.items()}
    for key, most in LONGEST.items():
        if len(cleaned.get(key, "")) > most:
            raise _refused(name, f"The {key} is longer than {most} characters. Shorten it.")
        if not cleaned.get(key, "").isprintable():
            raise _refused(name, f"The {key} holds control characters. Remove them.")
    return cleaned


def _anew(
    dataset: Dataset, types: Mapping[str, ColumnType], retyped: Mapping[str, ColumnType]
) -> tuple[list[Column], dict[str, Any]]:
    try:
        return described_anew(dataset, types)
    except SchemaMismatch as error:
        marks = dataset_marks(dataset)
        names = [name for name in retyped if name in (error.fields or {})] or list(retyped)
        if marks.keys() & set(names):  # the sentence may repeat a personal value
            raise _refused(names[0], "Not all of its values are of this type. Choose another.") from None
        raise _refused(names[0], error.detail) from error


def _refused(name: str, sentence: str) -> InvalidColumns:
    return InvalidColumns(f"Column {name!r}: {sentence}", fields={name: [sentence]})


def _edited(column: Column, fresh: Column | None, change: Mapping[str, str]) -> Column:
    if fresh is not None:
        column = replace(column, type=fresh.type, nullable=fresh.nullable, categories=fresh.categories)
    return replace(column, **{key: change[key] for key in LONGEST if key in change})


def _told(columns: list[Column], changes: Edits) -> dict[str, Any]:
    return {
        column.name: {key: str(getattr(column, key)) for key in ("type", *LONGEST)}
        for column in columns
        if column.name in changes
    }
