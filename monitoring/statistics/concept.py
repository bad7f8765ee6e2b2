"""Whether a stream of errors has changed its mean: concept drift, seen while the outcomes come in."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class PageHinkley:
    """The Page-Hinkley test for a mean that rises; its state fits into a row of a database.

    E. S. Page, *Biometrika* 41 (1954); J. Gama et al., *ACM Comput. Surv.* 46 (2014), section 3.2. Each value
    adds by how much it lies above the mean so far, less ``tolerance``; a change is told once the sum has
    risen ``threshold`` above its lowest point.

    Attributes:
        tolerance: the rise of the mean that is borne, in the values' unit.
        threshold: how far the sum may rise, in the values' unit times rows.
        burn_in: rows that are only learnt from.
    """

    tolerance: float = 0.005
    threshold: float = 50.0
    burn_in: int = 30
    rows: int = 0
    mean: float = 0.0
    total: float = 0.0
    lowest: float = 0.0
    changed: bool = False

    def after(self, value: float) -> "PageHinkley":
        """Return the state after one more value; after a change it begins anew.

        Raises ValueError for what is not a finite number.
        """
        if not math.isfinite(value):
            raise ValueError("The stream takes finite numbers.")
        begun = self._fresh() if self.changed else self
        rows = begun.rows + 1
        mean = begun.mean + (value - begun.mean) / rows
        total = begun.total + value - mean - begun.tolerance
        lowest = min(begun.lowest, total)
        changed = rows >= begun.burn_in and total - lowest > begun.threshold
        return replace(begun, rows=rows, mean=mean, total=total, lowest=lowest, changed=changed)

    def _fresh(self) -> "PageHinkley":
        return PageHinkley(self.tolerance, self.threshold, self.burn_in)


def changes(values: Iterable[float], test: PageHinkley) -> list[int]:
    """Return the places, from 0, at which the test tells of a change."""
    found = []
    for place, value in enumerate(values):
        test = test.after(value)
        if test.changed:
            found.append(place)
    return found
