"""How good a version probably is before outcomes tell, and what that rests on."""

from collections.abc import Mapping
from typing import Any

from monitoring.statistics.estimated import FEWEST_OUTCOMES, Calibrator, TooFewOutcomes
from monitoring.statistics.expected import MOST_CLASSES, expected_quality
from monitoring.statistics.quality import RESAMPLES, Estimate
from registry.models import ModelVersion

CBPE = (
    "Estimated by CBPE (confidence-based performance estimation): of answers with a probability of 0.9, nine "
    "in ten are taken to be right. It sees harder cases and shifted inputs. It assumes that equal inputs "
    "still mean the same (no concept drift), that the new cases are of kinds that the hold-out had, and that "
    "the probabilities are as honest as they were there."
)
DLE = (
    "Estimated by DLE (direct loss estimation): a second model learnt on the hold-out how large the errors "
    "are for which inputs, and says what to expect of the new ones. It assumes that equal inputs still have "
    "equal errors (no concept drift) and that the new cases are of kinds that the hold-out had."
)


def expected_of(
    version: ModelVersion, tally: Mapping[str, Any], *, resamples: int = RESAMPLES
) -> dict[str, Estimate]:
    """Return the metrics to be expected by the tally of a roll-up's ``estimate``; empty without any."""
    if version.model.problem.outcome == "value":
        rows = tally.get("rows", 0)
        if not rows:
            return {}
        mae, mse = tally.get("absolute", 0.0) / rows, tally.get("squares", 0.0) / rows
        return {"mae": Estimate(mae), "rmse": Estimate(float(mse**0.5))}
    return expected_quality(tally, calibrators_of(version), resamples=resamples) if tally else {}


def calibrators_of(version: ModelVersion) -> dict[str, Calibrator]:
    """Return what the hold-out says of each class's probabilities; nothing of classes with few rows."""
    found: dict[str, Calibrator] = {}
    for label, curves in (version.evaluation.get("curves") or {}).items():
        bins = curves["calibration"]
        try:
            found[label] = Calibrator.of_bins(bins["said"], bins["came_true"], bins["rows"])
        except TooFewOutcomes:
            continue
    return found


def assumptions_of(version: ModelVersion) -> str:
    """Return in words how the version's quality is estimated, or why it is not."""
    kind = version.model.problem.outcome
    if kind == "value":
        return DLE
    if kind is None or not version.classes:
        return "Nothing is estimated: that needs a classifier's probabilities, or a regression."
    if len(version.classes) > MOST_CLASSES:
        return f"Nothing is estimated: that is done for up to {MOST_CLASSES} classes."
    if calibrators_of(version):
        return f"{CBPE} They were put right by {version.holdout_rows:,} rows of the hold-out."
    return (
        f"{CBPE} They are taken at their word: the hold-out has {version.holdout_rows:,} rows, and "
        f"{FEWEST_OUTCOMES} are needed to put them right."
    )
