"""The errors that users are told of.

Six kinds say what an edge (API, admin, command, task) does with them; each app derives its own leaves.
The text says what is wrong and what to do about it. ``fields`` carries per-field messages.
"""

from collections.abc import Mapping, Sequence
from typing import Any


class PlatformError(Exception):
    """An expected failure with a machine-readable code and a sentence for people."""

    status = 500
    code = "error"
    title = "Error"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        fields: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code
        self.fields = fields


class NotFound(PlatformError):
    """What was asked for does not exist in this tenant."""

    status = 404
    code = "not_found"
    title = "Not found"


class Conflict(PlatformError):
    """The request contradicts the present state."""

    status = 409
    code = "conflict"
    title = "Conflict"


class InvalidInput(PlatformError):
    """The request itself is wrong."""

    status = 422
    code = "invalid_input"
    title = "Invalid input"


class NotAllowed(PlatformError):
    """The principal lacks the right."""

    status = 403
    code = "not_allowed"
    title = "Not allowed"


class TooMany(PlatformError):
    """A limit is reached that time gives back; ``wait`` says after how many seconds to try again."""

    status = 429
    code = "limit_reached"
    title = "Limit reached"

    def __init__(self, detail: str, *, wait: int) -> None:
        super().__init__(detail)
        self.wait = wait


class Unavailable(PlatformError):
    """Something that the platform needs does not answer now; trying again may help."""

    status = 503
    code = "unavailable"
    title = "Unavailable"
