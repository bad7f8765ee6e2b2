"""What the console's pages are made of: typed pieces that templates render and tests can look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from mlplatform.tenancy.permissions import Capability

Tone = Literal["good", "bad", "warn", "info", "muted"]


@dataclass(frozen=True)
class Badge:
    """A short word on a coloured ground."""

    text: str
    tone: Tone = "muted"


@dataclass(frozen=True)
class Link:
    """A text that leads somewhere."""

    text: Any
    url: str


@dataclass(frozen=True)
class Meter:
    """A share from 0 to 1 as a bar, with its figure beside it."""

    share: float
    text: str = ""
    tone: Tone = "info"


@dataclass(frozen=True)
class Lines:
    """Several values below each other in one cell; the first stands out."""

    first: Any
    rest: Sequence[Any] = ()


class Menu(StrEnum):
    """Where buttons of a page fold away, in the order of the menus; those of none stand before."""

    NONE = ""
    LOOK = "Look closer"
    SETTINGS = "Settings"
    FILES = "Files"


@dataclass(frozen=True)
class Button:
    """A way on from a page; ``post`` sends ``fields`` as a form, so that following it changes nothing.

    Buttons with the same ``menu`` fold away under it.
    """

    title: str
    url: str
    icon: str
    capability: Capability = Capability.VIEW
    variant: Literal["primary", "plain", "danger"] = "plain"
    post: bool = False
    fields: Mapping[str, Any] = field(default_factory=dict)
    menu: Menu = Menu.NONE


@dataclass(frozen=True)
class Facts:
    """Names and values."""

    title: str
    rows: Sequence[tuple[str, Any]]
    note: str = ""
    wide: bool = False
    template: str = "admin/parts/facts.html"


@dataclass(frozen=True)
class Fold:
    """Lines that few want to read: a title that opens them."""

    title: str
    lines: Sequence[Any]


@dataclass(frozen=True)
class Table:
    """Rows and columns; ``empty`` says what to do where there are no rows, ``fold`` what is not shown."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    empty: str = "Nothing yet."
    note: str = ""
    more: Link | None = None
    wide: bool = True
    fold: Fold | None = None
    template: str = "admin/parts/table.html"

    def labelled_rows(self) -> list[list[tuple[str, Any]]]:
        """Return the rows with each value beside its column's name, which narrow screens show."""
        return [list(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class Fragment:
    """A piece with a template of its own, which reads ``section.context``."""

    title: str
    template: str
    context: Mapping[str, Any]
    note: str = ""
    wide: bool = True


Section = Facts | Table | Fragment


@dataclass(frozen=True)
class Step:
    """One station of a model's loop: how many there are, which is the newest, where to see them all."""

    title: str
    icon: str
    count: int
    newest: Any
    url: str
    tone: Tone = "muted"


@dataclass(frozen=True)
class Notice:
    """Something that needs attention today."""

    tone: Tone
    title: str
    detail: str
    url: str


@dataclass(frozen=True)
class FirstStep:
    """One of the steps from an empty console to a model that answers."""

    title: str
    text: str
    url: str
    done: bool
    capability: Capability = Capability.VIEW
