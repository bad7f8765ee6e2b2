"""Saying what is wrong with rows that came in another protocol's form."""

from collections import Counter
from collections.abc import Iterable

from registry.errors import InvalidRows
from registry.inference.schema import MAX_ERRORS, RowError
from registry.inference.values import printable


def fault(field: str | None, code: str, message: str, row: int | None = None) -> RowError:
    """Return one error as ``check_rows`` has them; rows are counted from 0."""
    return {
        "row": row,
        "field": None if field is None else printable(field),
        "code": code,
        "message": message,
    }


def refused(errors: list[RowError]) -> InvalidRows:
    """Return the error that tells them all, the first in its sentence."""
    first = errors[0]
    where = f"{first['field']}: " if first["field"] else ""
    return InvalidRows(
        f"The request cannot be read as rows. {where}{first['message']} Nothing was predicted.",
        fields=errors[:MAX_ERRORS],
    )


def check_count(rows: int, most: int) -> None:
    """Raise InvalidRows for no rows, or more than may be asked at once."""
    if rows < 1:
        raise refused([fault("rows", "wrong_number", "Send at least one row.")])
    if rows > most:
        raise refused([fault("rows", "wrong_number", f"Send at most {most:,} rows in a request.")])


def check_once(names: Iterable[str]) -> None:
    """Raise InvalidRows where a column is named more than once."""
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise refused([fault(name, "twice", "This column is sent twice.") for name in twice])
