"""What the opener is asked, and what it answers."""

from typing import Any

import msgspec

from registry.exchange.content import Form
from registry.inference.foreign import Binding
from registry.tabular.columns import Column


class Order(msgspec.Struct, frozen=True):
    """What to open, and the limits to open it in.

    ``classes``: None for a regression, empty where the file is to say. ``spare``: there may be more columns
    than the file takes.
    """

    path: str
    form: Form
    columns: list[Column]
    classes: list[str] | None
    rows: list[dict[str, Any]]
    spare: bool
    memory_mb: int
    seconds: int


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the file is and which columns it takes, in its order; or why it is refused."""

    refused: str = ""
    algorithm: str = ""
    classes: list[str] | None = None
    binding: Binding | None = None
    columns: list[str] = []
    note: str = ""
