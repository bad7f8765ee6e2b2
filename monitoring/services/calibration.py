"""Whether a version's probabilities keep what they say, over any period."""

from dataclasses import dataclass, field

from monitoring.services.hours import hours_of, of_version, tally_of, versions_of
from monitoring.services.periods import Period
from monitoring.services.places import WHOLE, Part
from monitoring.statistics.calibration import (
    ReliabilityBin,
    calibration_error_noise,
    diagram_of_odds,
    diagram_of_sureness,
    expected_calibration_error,
)
from monitoring.statistics.tallies import ODDS_BINS_A_UNIT, SURENESS_BINS, Tally
from registry.models import ModelVersion, RegisteredModel

MOST_CLASSES = 6


@dataclass(frozen=True)
class CalibrationReport:
    """One version's calibration over the answers whose outcome is known.

    ``error`` is the expected calibration error of the likeliest class, ``noise`` what perfectly calibrated
    probabilities would show on so many rows by chance. ``diagram`` is of the likeliest class, ``classes``
    hold one for each class.
    """

    version: ModelVersion
    rows: int
    error: float | None = None
    noise: float | None = None
    diagram: list[ReliabilityBin] = field(default_factory=list)
    classes: dict[str, list[ReliabilityBin]] = field(default_factory=dict)


def calibration_reports(
    *, model: RegisteredModel, period: Period, part: Part = WHOLE
) -> list[CalibrationReport]:
    """Return each version's calibration, the champion's first; empty for what gives no probabilities."""
    if model.problem.outcome != "label":
        return []
    hours = hours_of(model, period, "quality", part=part)
    found = []
    for version in versions_of(model, hours):
        chances = tally_of(of_version(hours, version), "quality").get("chances", {})
        if version.classes:
            found.append(_report(version, chances))
    return found


def _report(version: ModelVersion, chances: Tally) -> CalibrationReport:
    diagram = diagram_of_sureness(chances.get("sureness", {}), SURENESS_BINS)
    classes = {
        label: diagram_of_odds(one.get("own", {}), one.get("other", {}), ODDS_BINS_A_UNIT)
        for label, one in list(chances.get("classes", {}).items())[:MOST_CLASSES]
    }
    return CalibrationReport(
        version,
        sum(one.rows for one in diagram),
        expected_calibration_error(diagram),
        calibration_error_noise(diagram) if diagram else None,
        diagram,
        classes,
    )
