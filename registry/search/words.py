"""From a search's text to its words."""

import re
from dataclasses import dataclass
from typing import Literal

LONGEST = 2_000  # characters
MOST_WORDS = 400
Kind = Literal["name", "text", "number", "operator", "end"]
WORD = re.compile(
    r"""\s*(?:
      (?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.])
    | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<name>[A-Za-z_][\w-]*)
    | (?P<operator><=|>=|!=|==|[=<>~().,])
    )""",
    re.VERBOSE,
)


class SearchError(ValueError):
    """The text is no search; the message says what is wrong and where."""


@dataclass(frozen=True)
class Word:
    """One word, and the place in the text at which it begins, counted from 0."""

    kind: Kind
    text: str
    place: int


def words_of(text: str) -> list[Word]:
    """Split the text; the last word is an ``end``. Raises SearchError."""
    if len(text) > LONGEST:
        raise SearchError(f"The search is longer than {LONGEST:,} characters. Make it shorter.")
    found, place = [], 0
    while text[place:].strip():
        match = WORD.match(text, place)
        if match is None or match.lastgroup is None:
            raise SearchError(_unreadable(text, place))
        kind: Kind = match.lastgroup  # type: ignore[assignment]  # the groups are named after the kinds
        found.append(Word(kind, match[kind], match.start(kind)))
        place = match.end()
        if len(found) > MOST_WORDS:
            raise SearchError(f"The search has more than {MOST_WORDS} words. Make it shorter.")
    return [*found, Word("end", "", len(text))]


def _unreadable(text: str, place: int) -> str:
    rest = text[place:].lstrip()
    what = "a text without its closing quote" if rest[0] in "\"'" else f"{rest[:20]!r}"
    return f"The search cannot be read at character {len(text) - len(rest) + 1}: {what}."
