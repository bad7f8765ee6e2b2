"""What a counter must do."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Allowance:
    """How many requests one counter of the active tenant allows in a minute."""

    name: str
    limit: int


class Exhausted(Exception):
    """A counter has reached its limit in this minute; nothing was counted."""

    def __init__(self, allowance: Allowance) -> None:
        super().__init__(allowance.name)
        self.allowance = allowance


class Counters(Protocol):
    """Counters that are shared by every process of the installation."""

    def take(self, allowances: Sequence[Allowance], *, minute: int, amount: int = 1) -> list[int]:
        """Count ``amount`` requests with each allowance, or none with any of them.

        Returns how many each counter has taken in this ``minute`` (since 1970), the present ones included.
        Never lets more than ``limit`` pass, whoever counts at the same moment. Raises Exhausted; ``amount``
        must not be above any limit.
        """
        ...

    def taken(self, name: str, *, minute: int) -> int:
        """Return how many requests the active tenant's counter has taken in this minute."""
        ...
