"""From words to a tree of comparisons.

    search     = either { "or" either }
    either     = part { "and" part }
    part       = "not" part | "(" search ")" | comparison
    comparison = field operator value | field "in" "(" value { "," value } ")"
    field      = name [ "." (name | text) ]

Words of the language may be written large or small. ``~`` asks for a part of a text.
"""

import math
import re
from dataclasses import dataclass
from typing import Union

from registry.search.words import SearchError, Word, words_of

OPERATORS = {"=": "=", "==": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "~": "~"}
DEEPEST = 20
Value = str | float | bool
Expression = Union["Comparison", "AllOf", "AnyOf", "Not"]


@dataclass(frozen=True)
class Comparison:
    """``field`` and, below it, ``key`` ("" without one) held against the values; many for ``in`` alone."""

    field: str
    key: str
    operator: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class AllOf:
    """Every part holds."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: Expression


def parse(text: str) -> Expression:
    """Return the tree of the search; raises SearchError."""
    reader = _Reader(words_of(text))
    tree = reader.search(depth=0)
    if reader.word.kind != "end":
        raise reader.wrong("and, or, or the end")
    return tree


class _Reader:
    """Reads the words from left to right."""

    def __init__(self, words: list[Word]) -> None:
        self._words, self._next = words, 0

    @property
    def word(self) -> Word:
        """The word that is to be read."""
        return self._words[self._next]

    def wrong(self, expected: str) -> SearchError:
        """Return the error that something else stands where ``expected`` should."""
        found = "the search ends" if self.word.kind == "end" else f"{self.word.text[:30]!r} stands"
        return SearchError(f"At character {self.word.place + 1} {found}, where {expected} is expected.")

    def search(self, depth: int) -> Expression:
        parts = [self._either(depth)]
        while self._took("or"):
            parts.append(self._either(depth))
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _either(self, depth: int) -> Expression:
        parts = [self._part(depth)]
        while self._took("and"):
            parts.append(self._part(depth))
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _part(self, depth: int) -> Expression:
        if depth > DEEPEST:
            raise SearchError(f"The search is nested more than {DEEPEST} deep. Make it simpler.")
        if self._took("not"):
            return Not(self._part(depth + 1))
        if self._took("("):
            inner = self.search(depth + 1)
            self._demand(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Comparison:
        field, key = self._field()
        if self._took("in"):
            self._demand("(")
            values = [self._value()]
            while self._took(","):
                values.append(self._value())
            self._demand(")")
            return Comparison(field, key, "in", tuple(values))
        operator = OPERATORS.get(self.word.text) if self.word.kind == "operator" else None
        if operator is None:
            raise self.wrong(f"one of {', '.join(OPERATORS)} or in")
        self._next += 1
        return Comparison(field, key, operator, (self._value(),))

    def _field(self) -> tuple[str, str]:
        if self.word.kind != "name":
            raise self.wrong("the name of a field")
        field = self._taken().text.lower()
        if not self._took("."):
            return field, ""
        if self.word.kind not in {"name", "text"}:
            raise self.wrong("a name after the point")
        return field, _plain(self._taken())

    def _value(self) -> Value:
        if self.word.kind == "number":
            number = float(self._taken().text)
            if not math.isfinite(number):
                raise SearchError("A number in the search is beyond all numbers. Write a smaller one.")
            return number
        if self.word.kind == "text":
            return _plain(self._taken())
        if self.word.kind == "name" and self.word.text.lower() in {"true", "false"}:
            return self._taken().text.lower() == "true"
        raise self.wrong("a number, true, false, or a text in quotes")

    def _taken(self) -> Word:
        taken = self.word
        self._next += 1
        return taken

    def _took(self, text: str) -> bool:
        if self.word.kind in {"name", "operator"} and self.word.text.lower() == text:
            self._next += 1
            return True
        return False

    def _demand(self, text: str) -> None:
        if not self._took(text):
            raise self.wrong(f"{text!r}")


def _plain(word: Word) -> str:
    """Return a word without its quotes and the strokes before quoted signs."""
    return re.sub(r"\\(.)", r"\1", word.text[1:-1]) if word.kind == "text" else word.text
