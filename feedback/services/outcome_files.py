"""Reading reports of outcomes line by line: CSV with a header, or JSON Lines."""

import csv
import json
from collections.abc import Callable, Iterator
from enum import StrEnum
from operator import itemgetter
from typing import IO, Any

from feedback.errors import UnreadableFeedbackFile
from feedback.services.reported import OutcomeItem

MAX_LINE_LENGTH = 10_000
MAX_BYTES = 1_000_000_000
# Every column, or name in an object, by what it means; those of the JSON API are understood in a file, too.
NAMES = {
    "prediction_id": "prediction_id",
    "prediction": "prediction_id",
    "entity_key": "entity_key",
    "model": "model",
    "outcome": "value",
    "value": "value",
    "observed_at": "observed_at",
    "rating": "rating",
    "comment": "comment",
}
PICKED = ("prediction_id", "value", "entity_key", "model", "observed_at", "rating", "comment")
SAYS = ("value", "rating", "comment")
FORM = (
    "It must be UTF-8 text: CSV whose first line names outcome (or rating, or comment) and prediction_id, or "
    "entity_key and model (observed_at where it is known), or JSON Lines with an object of these names in "
    "each line."
)


class LineForm(StrEnum):
    """How the lines are written."""

    CSV = "csv"
    JSON_LINES = "jsonl"


def form_of(name: str) -> LineForm:
    """Return the form that a file's name tells; CSV where it tells none."""
    return LineForm.JSON_LINES if name.lower().endswith((".jsonl", ".ndjson")) else LineForm.CSV


def read_items(file: IO[bytes], form: LineForm, *, model: str, most: int) -> Iterator[OutcomeItem]:
    """Yield the outcomes of the lines, read as they come; ``model`` is that of lines that name none.

    Raises UnreadableFeedbackFile for what is no such text, and for more than ``most`` lines.
    """
    lines = _lines(file, most + (1 if form is LineForm.CSV else 0))
    return _of_csv(lines, model) if form is LineForm.CSV else _of_json(lines, model)


def _of_csv(lines: Iterator[str], model: str) -> Iterator[OutcomeItem]:
    reader = csv.reader(lines, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        pick = _picker(header)
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise UnreadableFeedbackFile(
                    f"Line {reader.line_num} has too {'many' if len(row) > len(header) else 'few'} values. "
                    "Correct the line, or put quotes around values with commas."
                )
            item = pick(row)
            yield item if item.model or not item.entity_key else item._replace(model=model)
    except csv.Error as error:
        raise UnreadableFeedbackFile(f"Line {reader.line_num} cannot be read: {error}. {FORM}") from error


def _picker(header: list[str]) -> Callable[[list[str]], OutcomeItem]:
    """Return what takes an item out of a row."""
    places = {NAMES[name]: place for place, name in enumerate(header) if name in NAMES}
    if not set(SAYS) & set(places) or not {"prediction_id", "entity_key"} & set(places):
        missing = [] if set(SAYS) & set(places) else ["outcome"]
        missing += [] if {"prediction_id", "entity_key"} & set(places) else ["prediction_id or entity_key"]
        raise UnreadableFeedbackFile(f"The file's first line does not name {' and '.join(missing)}. {FORM}")
    # A column that is not there is looked for behind the row's end, where nothing is appended.
    wanted = itemgetter(*(places.get(name, len(header)) for name in PICKED))

    def pick(row: list[str]) -> OutcomeItem:
        prediction, value, entity, model, observed, rating, comment = map(str.strip, wanted([*row, ""]))
        return OutcomeItem(prediction, value, entity, model, observed, rating, comment)

    return pick


def _of_json(lines: Iterator[str], model: str) -> Iterator[OutcomeItem]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            told = json.loads(line, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise UnreadableFeedbackFile(f"Line {number} is not JSON. {FORM}") from error
        yield _item(told, number, model)


def _item(told: Any, number: int, model: str) -> OutcomeItem:
    if not isinstance(told, dict):
        raise UnreadableFeedbackFile(f"Line {number} is no object of names and values. {FORM}")
    known = {NAMES[name]: value for name, value in told.items() if name in NAMES}
    texts = {name: known.get(name) or "" for name in ("prediction_id", "entity_key", "model", "observed_at")}
    wrong = [name for name, value in texts.items() if not isinstance(value, str)]
    if wrong or not set(SAYS) & set(known):
        fault = f"{wrong[0]} must be text" if wrong else "it has no outcome"
        raise UnreadableFeedbackFile(f"Line {number} cannot be understood: {fault}. {FORM}")
    entity, named = texts["entity_key"], texts["model"]
    return OutcomeItem(
        texts["prediction_id"],
        known.get("value"),
        entity,
        named or (model if entity else ""),
        texts["observed_at"],
        known.get("rating"),
        known.get("comment"),
    )


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _lines(file: IO[bytes], most: int) -> Iterator[str]:
    left, encoding = MAX_BYTES, "utf-8-sig"
    try:
        for _ in range(most):
            line = file.readline(MAX_LINE_LENGTH + 1)
            left -= len(line)
            if len(line) > MAX_LINE_LENGTH or b"\0" in line or left < 0:
                raise UnreadableFeedbackFile(f"The file holds binary data or endless lines. {FORM}")
            if not line:
                return
            yield line.decode(encoding)
            encoding = "utf-8"
        if file.readline(1):
            raise UnreadableFeedbackFile(
                f"There are more than {most:,} lines. Split them into several parts."
            )
    except UnicodeDecodeError as error:
        raise UnreadableFeedbackFile(f"The file is not UTF-8 text. {FORM}") from error
