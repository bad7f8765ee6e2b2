"""A tally's metrics, each with the interval in which the truth lies nineteen times in twenty."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from monitoring.statistics.tallies import size_of_bin
from registry.problems.class_metrics import label_scores, label_scores_of

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
CONFIDENCE = 0.95
RESAMPLES = 200
REACH = float(norm.ppf((1 + CONFIDENCE) / 2))


@dataclass(frozen=True)
class Estimate:
    """A metric's value over the rows, and its 95 % interval (None where it is not defined)."""

    value: float
    low: float | None = None
    high: float | None = None


def quality_of_labels(
    tally: Mapping[str, Any], *, seed: int = 0, resamples: int = RESAMPLES
) -> dict[str, Estimate]:
    """Return the metrics of classification, under the names that ``registry.problems`` has for them.

    Those of labels are exact, with intervals by resampling the confusion matrix; the areas under curves are
    told from bins of the log odds (within about 0.002). Fewer ``resamples`` are faster and less sure of where
    the intervals end. Empty without rows.
    """
    if not tally.get("rows"):
        return {}
    rng = np.random.default_rng(seed)
    found = quality_of_confusion(_matrix(tally["confusion"]).astype("float64"), rng, resamples)
    chances = tally.get("chances", {})
    if chances.get("rows"):
        found |= _of_chances(chances)
    areas = [_areas(one, rng, resamples) for one in chances.get("classes", {}).values()]
    for name in ("roc_auc", "average_precision"):
        defined = [one[name] for one in areas if name in one]
        if defined:
            found[name] = _macro(defined)
    return found


def quality_of_detector(tally: Mapping[str, Any], positive: str, *, seed: int = 0) -> dict[str, Estimate]:
    """Return a detector's metrics from ``tally_of_scores``: of what it flagged, and of its scores' order.

    Of k rows, as many as it flagged, precision and recall among the top k are those of the flagged, for it
    flags by its scores. Empty without rows; the share flagged alone where one kind of row is not known.
    """
    if not tally.get("rows"):
        return {}
    confusion, rows = tally["confusion"], tally["rows"]
    hits = confusion.get(positive, {}).get(positive, 0)
    flagged = sum(row.get(positive, 0) for row in confusion.values())
    true = sum(confusion.get(positive, {}).values())
    found = {"share_flagged": proportion(flagged, rows)}
    if not 0 < true < rows:
        return found
    found["recall"] = proportion(hits, true)
    found["precision"] = proportion(hits, flagged) if flagged else Estimate(0.0)
    areas = tally.get("chances", {}).get("classes", {}).get(positive, {})
    return found | _areas(areas, np.random.default_rng(seed), RESAMPLES)


def quality_of_numbers(tally: Mapping[str, Any]) -> dict[str, Estimate]:
    """Return the metrics of regression, with intervals by the central limit; the median from bins of 5 %.

    R² is left out where the targets do not spread, the percentage error where one of them is 0. Empty without
    rows.
    """
    n = tally.get("rows", 0)
    if not n:
        return {}
    squares, fourths = tally.get("squares", 0.0), tally.get("fourths", 0.0)
    mse = _mean(squares, fourths, n)
    found = {
        "mae": _mean(tally.get("absolute", 0.0), squares, n),
        "rmse": _through(mse, lambda value: float(np.sqrt(max(value, 0.0)))),
        "median_absolute_error": _median(tally.get("sizes", {}), n),
    }
    spread = tally.get("truth_squares", 0.0) / n - (tally.get("truth", 0.0) / n) ** 2
    if spread > 0:
        worse = _through(mse, lambda value: 1 - value / spread)
        found["r2"] = Estimate(worse.value, worse.high, worse.low)
    if not tally.get("zeros"):
        found["mape"] = _mean(tally.get("relative", 0.0), tally.get("relative_squares", 0.0), n)
    return found


def difference(one: Estimate, other: Estimate, *, pairs: int = 1) -> Estimate:
    """Return one value less the other, of independent rows, with its interval from theirs.

    Of so many ``pairs`` that were looked at, all intervals hold together 19 times in 20 (Bonferroni).

    By the method of variance estimates recovery: G. Y. Zou and A. Donner, *Stat. Med.* 27 (2008). Without an
    interval where one of them has none.
    """
    gap = one.value - other.value
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return Estimate(gap)
    wider = float(norm.ppf(1 - (1 - CONFIDENCE) / 2 / max(1, pairs))) / REACH
    down = wider * float(np.hypot(one.value - one.low, other.high - other.value))
    up = wider * float(np.hypot(one.high - one.value, other.value - other.low))
    return Estimate(gap, gap - down, gap + up)


def quality_of_confusion(
    matrix: Floats, rng: np.random.Generator, resamples: int = RESAMPLES
) -> dict[str, Estimate]:
    """Return the metrics of labels of a (k, k) confusion matrix, which may hold expected counts.

    The intervals are those of as many rows drawn anew from its shares.
    """
    flat, rows = matrix.ravel(), matrix.sum()
    values = label_scores(matrix)
    drawn = rng.multinomial(round(rows), flat / rows, size=resamples).reshape(-1, *matrix.shape)
    resampled = label_scores_of(drawn)
    return {name: _estimate(value, resampled[name]) for name, value in values.items()}


def _matrix(confusion: Mapping[str, Mapping[str, int]]) -> Counts:
    labels = sorted({*confusion, *(answer for row in confusion.values() for answer in row)})
    return np.array([[confusion.get(true, {}).get(answer, 0) for answer in labels] for true in labels])


def _of_chances(chances: Mapping[str, Any]) -> dict[str, Estimate]:
    n = chances["rows"]
    brier = _mean(chances.get("brier", 0.0), chances.get("brier_squares", 0.0), n)
    if len(chances["classes"]) == 2:
        brier = _through(brier, lambda value: value / 2)
    bins = chances["sureness"].values()
    distance = sum(abs(one.get("said", 0.0) - one.get("right", 0)) for one in bins) / n
    log_loss = _mean(chances.get("log_loss", 0.0), chances.get("log_loss_squares", 0.0), n)
    return {"log_loss": log_loss, "brier": brier, "ece": Estimate(distance)}


def _areas(
    tally: Mapping[str, Mapping[str, int]], rng: np.random.Generator, resamples: int
) -> dict[str, Estimate]:
    own, other = tally.get("own", {}), tally.get("other", {})
    if not own or not other:
        return {}
    places = sorted({int(place) for place in (*own, *other)})
    up = np.array([own.get(str(place), 0) for place in places], dtype="float64")
    down = np.array([other.get(str(place), 0) for place in places], dtype="float64")
    drawn_up = rng.multinomial(int(up.sum()), up / up.sum(), size=resamples)
    drawn_down = rng.multinomial(int(down.sum()), down / down.sum(), size=resamples)
    return {
        name: _estimate(float(area(up[None], down[None])[0]), area(drawn_up, drawn_down))
        for name, area in (("roc_auc", roc_area), ("average_precision", _average_precision))
    }


def roc_area(up: npt.NDArray[Any], down: npt.NDArray[Any]) -> Floats:
    """Return the (r,) areas under ROC curves of (r, bins) counts, in the order of rising scores.

    Equal scores count half.
    """
    below = np.cumsum(down, axis=1) - down
    won = (up * (below + down / 2)).sum(axis=1)
    return np.asarray(won / (up.sum(axis=1) * down.sum(axis=1)))


def _average_precision(up: npt.NDArray[Any], down: npt.NDArray[Any]) -> Floats:
    """The average precision of (r, bins) counts: a bin's hits by the precision at the middle one of them.

    Where in its bin a row lies is not known, so hits and others are taken to be mixed evenly.
    """
    ups, downs = up[:, ::-1].astype("float64"), down[:, ::-1]
    hits, taken = np.cumsum(ups, axis=1) - ups, np.cumsum(ups + downs, axis=1) - ups - downs
    middle = (ups + 1) / 2
    others = np.divide(downs * middle, ups + 1, out=np.zeros_like(ups), where=ups > 0)
    precision = np.divide(hits + middle, taken + middle + others, out=np.zeros_like(ups), where=ups > 0)
    return np.asarray((precision * ups).sum(axis=1) / ups.sum(axis=1))


def _macro(areas: list[Estimate]) -> Estimate:
    value = float(np.mean([one.value for one in areas]))
    # Of two classes both areas say the same; of more, the widths of independent intervals add as squares.
    reach = [(one.high - one.low) / 2 for one in areas if one.high is not None and one.low is not None]
    width = max(reach) if len(areas) <= 2 else float(np.sqrt(np.sum(np.square(reach)))) / len(areas)
    return Estimate(value, max(0.0, value - width), min(1.0, value + width))


def _estimate(value: float, resampled: Floats) -> Estimate:
    low, high = np.quantile(resampled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(value, float(min(low, value)), float(max(high, value)))


def _mean(total: float, squares: float, n: int) -> Estimate:
    value = total / n
    if n < 2:
        return Estimate(value)
    variance = max(0.0, squares / n - value**2) * n / (n - 1)
    reach = REACH * float(np.sqrt(variance / n))
    return Estimate(value, value - reach, value + reach)


def _through(estimate: Estimate, change: Callable[[float], float]) -> Estimate:
    low, high = (None if it is None else change(it) for it in (estimate.low, estimate.high))
    return Estimate(change(estimate.value), low, high)


def proportion(hits: int, rows: int) -> Estimate:
    """Return a share with the interval of E. B. Wilson, *J. Am. Stat. Assoc.* 22 (1927)."""
    share, z = hits / rows, REACH**2 / rows
    middle = (share + z / 2) / (1 + z)
    reach = REACH * float(np.sqrt(share * (1 - share) / rows + z / (4 * rows))) / (1 + z)
    return Estimate(share, max(0.0, middle - reach), min(1.0, middle + reach))


def _median(sizes: Mapping[str, int], n: int) -> Estimate:
    places = sorted(int(place) for place in sizes)
    below = np.cumsum([sizes[str(place)] for place in places])
    # The ranks between which the median lies, by the binomial distribution's normal limit.
    reach = REACH * np.sqrt(n) / 2
    ranks = np.clip([n / 2, n / 2 - reach, n / 2 + reach], 1, n)
    value, low, high = (size_of_bin(places[int(np.searchsorted(below, rank))]) for rank in ranks)
    return Estimate(value, low, high)
