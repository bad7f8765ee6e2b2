"""The monitoring page's calibration: do probabilities keep what they say?"""

from collections.abc import Iterable, Sequence

from mlplatform.admin.parts import Badge, Section, Table
from mlplatform.admin.pictures import plots
from mlplatform.admin.render import number
from mlplatform.pictures import Axis, Figure, Line, plot
from monitoring.admin.measured import Shown, tab
from monitoring.services.calibration import CalibrationReport, calibration_reports
from monitoring.statistics.calibration import ReliabilityBin
from registry.admin.words import version_link
from registry.models import RegisteredModel

TELL = (
    "No outcome is known of answers with probabilities in this period. Send outcomes to POST "
    "/api/v1/outcomes, or choose a longer period. A model without probabilities has nothing to calibrate."
)
BEYOND = 2.0  # times what chance shows


@tab("calibration", "Calibration", at=30)
def calibration_sections(model: RegisteredModel, shown: Shown) -> Iterable[Section | None]:
    """Yield the calibration error of each version, and the champion's reliability."""
    reports = calibration_reports(model=model, period=shown.period, part=shown.part)
    known = [one for one in reports if one.rows]
    yield Table(
        "Calibration error",
        ["Version", "Outcomes known", "Error (ECE)", "By chance alone", "Verdict"],
        [[version_link(one.version), one.rows, one.error, one.noise, _verdict(one)] for one in known],
        empty=TELL,
        note="How far the likeliest class's probability is from how often it came true, over 15 bins.",
    )
    if not known:
        return
    first = known[0]
    figures = [_figure(f"v{first.version.number}: the likeliest class", first.diagram)]
    figures += [_figure(f"Class {label}", bins) for label, bins in first.classes.items()]
    yield plots("Reliability", figures, "On the dashed line probabilities come true as often as they say.")


def _verdict(report: CalibrationReport) -> Badge:
    if report.error is None or report.noise is None or report.error <= BEYOND * report.noise:
        return Badge("within chance", "good")
    return Badge("not calibrated", "warn")


def _figure(title: str, bins: Sequence[ReliabilityBin]) -> Figure:
    lines = [
        Line("", [0.0, 1.0], [0.0, 1.0], "guide"),
        Line("came true", [one.said for one in bins], [one.happened for one in bins], "both", tone=0),
    ]
    x = Axis("probability that was said", low=0.0, high=1.0, percent=True)
    y = Axis("came true", low=0.0, high=1.0, percent=True)
    most = max(bins, key=lambda one: one.rows, default=None)
    words = (
        f"{sum(one.rows for one in bins):,} rows; most ({most.rows:,}) said about {number(most.said * 100)} "
        f"% and came true in {number(most.happened * 100)} %."
        if most
        else ""
    )
    return Figure(title, plot(lines, x=x, y=y, title=title, description=words), words)
