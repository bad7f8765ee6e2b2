"""One value against its column: what is wrong with it, as a code and a sentence, or None."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from registry.tabular.labels import label_text
from registry.tabular.schema import Column, ColumnType

Problem = tuple[str, str] | None

LARGEST_EXACT = 2**53
MAX_TEXT = 10_000
SHOWN = 100
ISO_8601 = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:\d{2})?)?", re.ASCII
)


def printable(text: str) -> str:
    """Return the text cut to 100 characters, lone surrogates and control characters replaced."""
    encodable = text[:SHOWN].encode("utf-8", "replace").decode()
    return "".join(char if char.isprintable() else "�" for char in encodable)


def number_problem(value: Any, column: Column) -> Problem:
    """A finite number that a 64-bit float holds exactly where it is whole; neither text nor boolean."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _wrong_type("a number", value)
    if isinstance(value, float):
        return (
            None if math.isfinite(value) else ("not_finite", "Must be finite. Send null for a missing value.")
        )
    if abs(value) > LARGEST_EXACT:
        return "too_large", "Whole numbers beyond 2^53 lose digits. Scale it, or send it as a decimal."
    return None


def boolean_problem(value: Any, column: Column) -> Problem:
    """True or false, nothing that resembles them."""
    return None if isinstance(value, bool) else _wrong_type("true or false", value)


def text_problem(value: Any, column: Column) -> Problem:
    """Text that can be stored: no NUL, no half characters, at most 10,000 characters."""
    if not isinstance(value, str):
        return _wrong_type("text", value)
    return unstorable(value, MAX_TEXT)


def category_problem(value: Any, column: Column) -> Problem:
    """Text, or a number or boolean that spells a known category; an unseen category is no error.

    A personal column does not tell its categories, so any number may spell one.
    """
    if isinstance(value, int | float):
        known = column.personal is not None or label_text(value) in column.categories
        if known and math.isfinite(value) and abs(value) <= LARGEST_EXACT:
            return None
        return _wrong_type("text", value)
    return text_problem(value, column)


def date_problem(value: Any, column: Column) -> Problem:
    """An ISO 8601 date, or date and time, of the years 1 to 9999."""
    if not isinstance(value, str):
        return _wrong_type("an ISO 8601 date as text", value)
    if ISO_8601.fullmatch(value):
        try:
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is not None:
                moment.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        else:
            return None
    return "not_a_date", "Must be an ISO 8601 date such as 2026-01-31 or 2026-01-31T08:00:00Z."


def unused_problem(value: Any, column: Column) -> Problem:
    """The model does not look at it, but it is kept in the log: a plain value that can be stored."""
    if isinstance(value, str):
        return unstorable(value, MAX_TEXT)
    if isinstance(value, bool):
        return None
    return number_problem(value, column)


def unstorable(text: str, limit: int) -> Problem:
    """Return what keeps the text out of a database, or None."""
    if len(text) > limit:
        return "too_long", f"Must be at most {limit:,} characters; this has {len(text):,}."
    if "\x00" in text:
        return "nul", "Must not hold a NUL character."
    try:
        text.encode()
    except UnicodeEncodeError:
        return "not_unicode", "Holds half of a surrogate pair, which is no character."
    return None


def _wrong_type(wanted: str, value: Any) -> tuple[str, str]:
    kinds = {
        bool: "a boolean",
        str: "text",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "an object",
    }
    hint = " Send numbers without quotes." if wanted == "a number" and isinstance(value, str) else ""
    return "wrong_type", f"Must be {wanted}, not {kinds.get(type(value), type(value).__name__)}.{hint}"


VALUE_CHECKS: dict[ColumnType, Callable[[Any, Column], Problem]] = {
    ColumnType.numeric: number_problem,
    ColumnType.integer: number_problem,
    ColumnType.boolean: boolean_problem,
    ColumnType.category: category_problem,
    ColumnType.text: text_problem,
    ColumnType.date: date_problem,
    ColumnType.identifier: unused_problem,
    ColumnType.ignored: unused_problem,
}
