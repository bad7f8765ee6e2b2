"""Which of two versions answers a case: the same one for the same case, by a hash, and by the clock.

A case is a place on a circle from 0 to 1, and the challenger has the arc from 0 up to its share. So its
cases are told apart by nothing but chance, a case stays where it is, and a share that grows takes cases and
gives none back (the bucketing of Kohavi et al., Data Mining and Knowledge Discovery 2009;18:140).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

PLACES = 2**64
PLACE_BYTES = 8


@dataclass(frozen=True)
class Step:
    """From this moment on the challenger has this share of the cases, 0 to 1."""

    at: datetime
    share: float


@dataclass(frozen=True)
class Route:
    """How one rollout deals cases out: ``salt`` is its own, ``steps`` are in the order of their times.

    Every process deals alike at the same moment, for all have the same steps and look at the clock alone.
    """

    salt: str
    steps: tuple[Step, ...]

    def share(self, now: datetime) -> float:
        """Return the challenger's share at this moment; 0 before the first step."""
        share = 0.0
        for step in self.steps:
            if step.at > now:
                break
            share = step.share
        return share

    def taken(self, units: Sequence[str], now: datetime) -> list[bool]:
        """Tell for each unit whether it is the challenger's.

        A unit is whatever is dealt out as one: a case, or a request. An empty one is the champion's.
        """
        share = self.share(now)
        known = {unit: bool(unit) and place(unit, self.salt) < share for unit in set(units)}
        return [known[unit] for unit in units]


def place(unit: str, salt: str) -> float:
    """Return the unit's place, 0 to less than 1, evenly spread over units, unrelated between salts."""
    digest = hashlib.blake2b(unit.encode(), key=salt.encode()[:64], digest_size=PLACE_BYTES).digest()
    return int.from_bytes(digest) / PLACES
