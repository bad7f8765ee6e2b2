"""How far people agree beyond what chance would do."""

from collections import Counter
from collections.abc import Sequence


def cohen_kappa(first: Sequence[str], second: Sequence[str]) -> float | None:
    """Return Cohen's kappa of two raters' labels of the same rows, n each.

    1 is full agreement, 0 what chance gives with these shares, below 0 less (Cohen 1960). None where it is
    not defined: without rows, or where both only ever used one and the same label.

    Raises:
        ValueError: the raters did not label the same number of rows.
    """
    count = len(first)
    if count != len(second):
        raise ValueError(f"{count} labels cannot be held against {len(second)}.")
    ours, theirs = Counter(first), Counter(second)
    by_chance = sum(ours[label] * theirs[label] for label in ours)
    if by_chance == count**2:
        return None
    agreed = sum(one == other for one, other in zip(first, second, strict=True))
    return (agreed * count - by_chance) / (count**2 - by_chance)


def numbers_agree(one: float, other: float, tolerance: float) -> bool:
    """Tell whether two numbers differ by no more than this share of the larger one."""
    return abs(one - other) <= tolerance * max(abs(one), abs(other))
