"""Quality to be expected before outcomes are known, from counts that add up.

CBPE (confidence-based performance estimation; see ``monitoring.statistics.estimated``) sums calibrated
probabilities over answers. What it has to know of them is counted by answer, class and bins of the class's
log odds, so that an hour's answers are read once and any stretch of hours is a sum. The calibration is put on
when the sum is asked for.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from monitoring.statistics.estimated import Calibrator
from monitoring.statistics.quality import RESAMPLES, Estimate, quality_of_confusion, roc_area
from monitoring.statistics.tallies import LARGEST_ODDS, Tally

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[Any]
BINS_A_UNIT = 20  # of the natural log odds: a probability of a half is known to 0.0125
MOST_CLASSES = 12  # as many as the hold-out's calibration is kept of


def tally_of_answers(answered: Labels, probabilities: Floats, classes: Sequence[str]) -> Tally:
    """Return the tally of answers whose outcome need not be known; empty without rows, or of many classes.

    ``odds`` counts, by class and then by what was answered, the bins of the odds that the class was given.

    Args:
        answered: (n,) labels.
        probabilities: (n, k); rows with NaN have none and are left out.
        classes: the k labels of the columns.
    """
    known = (
        np.isfinite(probabilities).all(axis=1) if len(classes) <= MOST_CLASSES else np.zeros(0, dtype=bool)
    )
    if not known.any():
        return {}
    said = np.clip(probabilities[known], 0.0, 1.0)
    with np.errstate(divide="ignore"):
        odds = np.clip(np.log(said) - np.log1p(-said), -LARGEST_ODDS, LARGEST_ODDS)
    places = np.floor(odds * BINS_A_UNIT).astype(int)
    labels, codes = np.unique(answered[known].astype(str), return_inverse=True)
    by_class = {str(label): _by_answer(places[:, i], labels, codes) for i, label in enumerate(classes)}
    return {"rows": int(known.sum()), "odds": by_class}


def expected_quality(
    tally: Mapping[str, Any], calibrators: Mapping[str, Calibrator], *, resamples: int = RESAMPLES
) -> dict[str, Estimate]:
    """Return the metrics to be expected of ``tally_of_answers``, by the names of ``registry.problems``.

    A class without a calibrator is taken at its word. The intervals hold what chance alone does to as many
    rows, not what a wrong assumption does. A calibration error is not among them: CBPE assumes there is none.
    Empty without rows.
    """
    odds = tally.get("odds", {})
    if not odds:
        return {}
    answers = sorted({answer for one in odds.values() for answer in one})
    labels = sorted({*odds, *answers})
    rng = np.random.default_rng(0)
    confusion = np.zeros((len(labels), len(labels)))
    for label, by_answer in odds.items():
        for answer, counts in by_answer.items():
            said, rows = _said(counts)
            happens = _happens(said, calibrators.get(label))
            confusion[labels.index(label), labels.index(answer)] = happens @ rows
    found = quality_of_confusion(_made_whole(confusion, odds, labels), rng, resamples)
    return found | _of_chances(odds, calibrators)


def _by_answer(places: npt.NDArray[Any], labels: Labels, codes: npt.NDArray[Any]) -> Tally:
    counted: Tally = {}
    for code, label in enumerate(labels):
        bins, numbers = np.unique(places[codes == code], return_counts=True)
        counted[str(label)] = {str(int(one)): int(many) for one, many in zip(bins, numbers, strict=True)}
    return counted


def _said(counts: Mapping[str, int]) -> tuple[Floats, Floats]:
    """The probabilities in the middle of the bins, and the rows in them."""
    places = np.array([int(place) for place in counts], dtype="float64")
    said: Floats = 1 / (1 + np.exp(-(places + 0.5) / BINS_A_UNIT))
    return said, np.array(list(counts.values()), dtype="float64")


def _happens(said: Floats, calibrator: Calibrator | None) -> Floats:
    return said if calibrator is None else calibrator(said)


def _made_whole(confusion: Floats, odds: Mapping[str, Any], labels: Sequence[str]) -> Floats:
    """Stretch each answer's expected counts to its rows: each calibrated alone, they need not add up."""
    first = next(iter(odds.values()))
    rows = np.array([sum(first.get(label, {}).values()) for label in labels], dtype="float64")
    total = confusion.sum(axis=0)
    # Where no class is thought possible for an answer, the answer is taken to be right.
    whole = np.where(total > 0, confusion * rows / np.where(total > 0, total, 1.0), np.diag(rows))
    return np.asarray(whole)


def _of_chances(odds: Mapping[str, Any], calibrators: Mapping[str, Calibrator]) -> dict[str, Estimate]:
    rows = loss = brier = 0.0
    areas = []
    for label, by_answer in odds.items():
        merged: dict[str, int] = {}
        for counts in by_answer.values():
            for place, many in counts.items():
                merged[place] = merged.get(place, 0) + many
        ordered = {place: merged[place] for place in sorted(merged, key=int)}
        said, many_rows = _said(ordered)
        happens = _happens(said, calibrators.get(label))
        up, down = happens * many_rows, (1 - happens) * many_rows
        rows = float(many_rows.sum())
        loss += float(up @ -np.log(said))
        brier += float(up @ (1 - said) ** 2 + down @ said**2)
        if up.sum() > 0 and down.sum() > 0:
            areas.append(float(roc_area(up[None], down[None])[0]))
    found = {
        "log_loss": Estimate(loss / rows),
        "brier": Estimate(brier / rows / (2 if len(odds) == 2 else 1)),
    }
    return found | ({"roc_auc": Estimate(float(np.mean(areas)))} if areas else {})
