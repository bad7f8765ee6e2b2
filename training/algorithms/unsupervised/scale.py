"""Raw anomaly scores of any kind on one scale: the share of the training rows that are less unusual."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MOST_KNOTS = 2000


class ScoreScale:
    """The empirical distribution of the training rows' scores, drawn as a rising line through knots.

    A score on it is a rank: 0.97 is more unusual than 97 % of the training rows. Ranks are (i - 0.5) / n
    (Hazen 1914); beyond the extreme rows the line approaches 0 and 1 without reaching them, so that what is
    more extreme than anything seen still has an order.

    Args:
        raw: the training rows' scores, (n,), larger is more unusual.
    """

    def __init__(self, raw: Floats) -> None:
        raw = np.asarray(raw, dtype="float64")
        self.centre = float(np.median(raw))
        spread = float(raw.max()) - self.centre
        self.spread = spread if spread > 0 else 1.0
        ordered = np.sort(self._measured(raw))
        values, first, count = np.unique(ordered, return_index=True, return_counts=True)
        ranks = (first + count / 2) / len(ordered)
        if len(values) > MOST_KNOTS:
            # Closer together in the upper tail, where the threshold lies.
            even = np.linspace(0, 1, MOST_KNOTS)
            kept = np.unique(np.round((1 - (1 - even) ** 2) * (len(values) - 1)).astype(int))
            values, ranks = values[kept], ranks[kept]
        self.values, self.ranks = values, ranks

    def __call__(self, raw: Floats) -> Floats:
        """Scores in (0, 1) for raw scores of any rows, (n,)."""
        measured = self._measured(raw)
        inside = np.interp(measured, self.values, self.ranks)
        above = np.maximum(measured - self.values[-1], 0)
        below = np.maximum(self.values[0] - measured, 0)
        scaled = np.where(above > 0, 1 - (1 - self.ranks[-1]) * np.exp(-above), inside)
        result: Floats = np.where(below > 0, self.ranks[0] * np.exp(-below), scaled)
        return result

    def _measured(self, raw: Floats) -> Floats:
        """In units of the upper half's width, rounded: sums in another order must not part equal rows."""
        return np.round((raw - self.centre) / self.spread, 9)
