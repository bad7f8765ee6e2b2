"""What one look at the installation found."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One looked-at thing: whether it is good, what was seen, and what to do where it is not."""

    check: str
    good: bool
    seen: str
    mend: str = ""


def fine(check: str, seen: str) -> Finding:
    """Return a good finding."""
    return Finding(check, good=True, seen=seen)


def wrong(check: str, seen: str, mend: str) -> Finding:
    """Return a bad finding with what to do about it."""
    return Finding(check, good=False, seen=seen, mend=mend)
