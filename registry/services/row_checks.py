"""What is wrong with a request's rows and names of cases, beside what their columns say (``schema.py``)."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings

from registry.errors import InvalidRows
from registry.inference.schema import MAX_ERRORS, RowError
from registry.inference.values import unstorable
from registry.models import ModelVersion

MAX_KEY_LENGTH = 200


def check_size(rows: Sequence[Any]) -> None:
    """Raise InvalidRows for no rows, and for more than a request may hold."""
    limit = settings.MAX_PREDICTION_ROWS
    if 0 < len(rows) <= limit:
        return
    message = "Send at least one row." if not rows else f"Send at most {limit:,} rows in a request."
    raise InvalidRows(
        message, fields=[{"row": None, "field": "rows", "code": "wrong_number", "message": message}]
    )


def check_keys(keys: Sequence[Any] | None, rows: int) -> list[RowError]:
    """Return what is wrong with the client's case names."""
    if keys is None:
        return []
    if len(keys) != rows:
        message = f"{len(keys)} keys for {rows} rows. Send one for each row, null where there is none."
        return [{"row": None, "field": "entity_keys", "code": "wrong_number", "message": message}]
    errors: list[RowError] = []
    for position, key in enumerate(keys):
        problem = None
        if isinstance(key, str):
            problem = unstorable(key, MAX_KEY_LENGTH)
        elif key is not None:
            problem = ("wrong_type", "Must be text or null.")
        if problem is not None:
            errors.append(
                {"row": position, "field": "entity_keys", "code": problem[0], "message": problem[1]}
            )
    return errors[:MAX_ERRORS]


def invalid_rows(errors: Sequence[RowError], version: ModelVersion) -> InvalidRows:
    """Return the error that tells what is wrong with the rows."""
    first = errors[0]
    where = f"{first['field']}: " if first["field"] else ""
    return InvalidRows(
        f"The rows do not fit {version}. First of {len(errors)} errors: {where}{first['message']} "
        "Nothing was predicted.",
        fields=list(errors),
    )
