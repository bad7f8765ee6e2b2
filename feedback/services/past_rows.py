"""Understanding one line of past predictions: what was asked, what was answered, and what came of it."""

import hashlib
import json
import math
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from feedback.errors import InvalidPastColumns
from feedback.services.past_files import Line
from feedback.services.reported import Unclear
from feedback.services.verdicts import moment_of
from registry.inference.engines import IMPORTED_ENGINE
from registry.inference.schema import check_rows
from registry.inference.values import unstorable
from registry.models import ModelVersion, RegisteredModel
from registry.privacy.treatment import Treater
from registry.problems import InvalidOutcome
from registry.protocols.tables import cell_value
from registry.services.personal import model_marks
from registry.services.plans import answering_version
from registry.services.pseudonyms import treater
from registry.services.row_checks import MAX_KEY_LENGTH
from registry.tabular.schema import UNUSED_TYPES, Column, ColumnType, columns_from_json

# What a line tells beside the features, by the name of its column where none other is stated.
COLUMNS = (
    *("predicted_at", "prediction", "probability", "score"),
    *("outcome", "observed_at", "entity_key", "version"),
)
NEEDED = ("predicted_at", "prediction")
TOLERANCE = 0.02  # by which probabilities may miss the sum of 1
SHOWN_FAULTS = 3


class Past(NamedTuple):
    """One understood line; ``row`` is what the log takes, its case still by the client's own key."""

    line: int
    row: dict[str, Any]
    entity: str
    outcome: object
    observed_at: datetime | None


@dataclass
class Target:
    """A version that past predictions are of."""

    version: ModelVersion
    columns: list[Column] = field(init=False)
    kinds: dict[str, ColumnType] = field(init=False)

    def __post_init__(self) -> None:
        self.columns = columns_from_json(self.version.features)
        self.kinds = {column.name: column.type for column in self.columns if column.type not in UNUSED_TYPES}


class Reader:
    """Turns lines into rows of the log of one model.

    ``version`` is that of lines that name none; ``columns`` says which column of the file tells what.
    Raises InvalidPastColumns, and what ``answering_version`` raises.
    """

    def __init__(
        self, *, model: RegisteredModel, version: int | None, columns: Mapping[str, str], now: datetime
    ) -> None:
        unknown = sorted(set(columns) - set(COLUMNS))
        if unknown:
            raise InvalidPastColumns(
                f"There is nothing called {unknown[0]!r} to say a column for. Known: {', '.join(COLUMNS)}."
            )
        if model.problem.outcome is None:
            raise InvalidPastColumns("Answers of this kind of model have no outcome that history could tell.")
        self.usual = Target(answering_version(model, version))
        self._model, self._now = model, now
        self._names = {name: columns.get(name, name) for name in COLUMNS}
        self._targets = {self.usual.version.number: self.usual}
        self._treat: Treater = treater(model_marks(model))
        self._seen: Counter[bytes] = Counter()

    def read(self, line: Line) -> Past:
        """Return what the line says; raises Unclear, which names what is wrong in a few words."""
        if line.fault:
            raise Unclear("unreadable", line.fault)
        told = {name: line.cells.get(column) for name, column in self._names.items()}
        for name in NEEDED:
            if told[name] in (None, ""):
                raise Unclear("missing", f"{self._names[name]}: it is missing.")
        target = self._target(told["version"])
        created_at = self._moment(told, "predicted_at")
        observed_at = self._moment(told, "observed_at") if told["observed_at"] else None
        answer = self._parsed(target, told, "prediction")
        outcome = None if told["outcome"] in (None, "") else self._parsed(target, told, "outcome")
        row = {
            "model_id": self._model.pk,
            "version_id": target.version.pk,
            "features": self._treat.row(self._features(line, target)),
            "label": answer if isinstance(answer, str) else "",
            "value": answer if isinstance(answer, float) else _number(told["score"], "score"),
            "probabilities": self._probabilities(line, target, told, answer),
            "engine": IMPORTED_ENGINE,
            "latency_ms": 0.0,
            "created_at": created_at,
        }
        return Past(line.number, row, _entity(told["entity_key"]), outcome, observed_at)

    def name(self, past: Past, entity: str) -> uuid.UUID:
        """Return the id of the prediction: the same for the same line, however often the file is sent.

        Time first, as in all ids, and then a digest of what the log keeps; equal lines of a file are told
        apart by their number among each other. ``entity`` is the pseudonym.
        """
        kept = {**past.row, "entity_key": entity, "created_at": past.row["created_at"].isoformat()}
        digest = hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).digest()
        self._seen[digest] += 1
        digest = hashlib.sha256(digest + self._seen[digest].to_bytes(8, "big")).digest()
        milliseconds = max(0, int(past.row["created_at"].timestamp() * 1000))
        number = milliseconds << 80 | int.from_bytes(digest[:10], "big")
        number = number & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62
        return uuid.UUID(int=number)

    def _target(self, named: object) -> Target:
        if named in (None, ""):
            return self.usual
        try:
            number = int(str(named).removesuffix(".0"))
        except ValueError as error:
            raise Unclear(
                "invalid_version", f"{self._names['version']}: it is no version's number."
            ) from error
        if number not in self._targets:
            version = ModelVersion.objects.filter(model=self._model, number=number).first()
            if version is None:
                raise Unclear("unknown_version", f"{self._names['version']}: there is no version {number}.")
            version.model = self._model
            self._targets[number] = Target(version)
        return self._targets[number]

    def _moment(self, told: Mapping[str, Any], name: str) -> datetime:
        column, given = self._names[name], told[name]
        if not isinstance(given, str):
            raise Unclear("invalid_time", f"{column}: write it like 2026-03-01T09:30:00+01:00.")
        try:
            moment = moment_of(given.strip(), self._now)
        except Unclear as error:
            raise Unclear(error.code, str(error).replace("observed_at", column)) from error
        if moment is None:
            raise Unclear("missing", f"{column}: it is missing.")
        return moment

    def _parsed(self, target: Target, told: Mapping[str, Any], name: str) -> str | float:
        try:
            return self._model.problem.parse_outcome(told[name], target.version.classes)
        except InvalidOutcome as error:
            raise Unclear(error.code, f"{self._names[name]}: {error.detail}") from error

    def _features(self, line: Line, target: Target) -> dict[str, Any]:
        row = {
            name: cell_value(cell, kind) if isinstance(cell := line.cells[name], str) else cell
            for name, kind in target.kinds.items()
            if name in line.cells
        }
        errors = check_rows([row], target.columns)
        if errors:
            told = "; ".join(f"{one['field']}: {one['message']}" for one in errors[:SHOWN_FAULTS])
            raise Unclear(errors[0]["code"], told)
        return row

    def _probabilities(
        self, line: Line, target: Target, told: Mapping[str, Any], answer: str | float
    ) -> dict[str, float] | None:
        classes = target.version.classes
        if not classes or isinstance(answer, float):
            return None
        given = {
            one: line.cells[f"p_{one}"] for one in classes if line.cells.get(f"p_{one}") not in (None, "")
        }
        if given:
            chances = {one: _chance(given.get(one), f"p_{one}") for one in classes}
            if abs(sum(chances.values()) - 1) > TOLERANCE:
                raise Unclear("invalid_probability", "The probabilities of the classes do not add up to 1.")
            return chances
        if told["probability"] in (None, ""):
            return None
        if len(classes) != 2 or answer not in classes:
            raise Unclear(
                "invalid_probability",
                f"{self._names['probability']}: of more than two classes, send p_<class> for each.",
            )
        chance = _chance(told["probability"], self._names["probability"])
        return {one: chance if one == answer else 1 - chance for one in classes}


def columns_in(text: str) -> dict[str, str]:
    """Return the columns that a text such as ``prediction=answer,outcome=truth`` states."""
    pairs = (part.partition("=") for part in text.split(",") if part.strip())
    return {name.strip(): column.strip() for name, _, column in pairs}


def _entity(given: object) -> str:
    if given in (None, ""):
        return ""
    key = str(given)
    problem = unstorable(key, MAX_KEY_LENGTH)
    if problem is not None:
        raise Unclear("invalid_entity_key", f"The entity key cannot be used. {problem[1]}")
    return key


def _number(given: object, column: str) -> float | None:
    if given in (None, ""):
        return None
    try:
        number = float(given) if isinstance(given, str | int | float) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise Unclear("not_a_number", f"{column}: it is no finite number.")
    return number


def _chance(given: object, column: str) -> float:
    number = _number(given, column)
    if number is None or not 0 <= number <= 1:
        raise Unclear("invalid_probability", f"{column}: a probability is between 0 and 1.")
    return number
