"""Drift over any period, of a slice or of the whole, told when it is asked for."""

from monitoring.models import DriftReport
from monitoring.services.hours import versions_of
from monitoring.services.periods import Period
from monitoring.services.places import WHOLE, Part
from monitoring.services.rule_windows import drift_in
from monitoring.services.sums import sums_of
from monitoring.services.windows import Window
from registry.models import ModelVersion, RegisteredModel


def drift_over(*, model: RegisteredModel, period: Period, part: Part = WHOLE) -> DriftReport | None:
    """Judge what the champion, or else the newest version, was asked in the period; nothing is stored.

    A slice is held against its own training rows. The report's ``found`` are its columns. None where nothing
    was asked, no version is there, or there is nothing to compare with. The limits are those of a check that
    looks at a window of this length: who looks at many slices by hand sees more false alarms than stated.
    """
    versions = versions_of(model, [])
    if not versions:
        return None
    version = ModelVersion.objects.select_related("model", "dataset").get(pk=versions[0].pk)
    window = Window(version, period.since, period.until)
    report, results = drift_in(window, sums_of(window, part), part)
    if report is not None:
        report.unstored = results
    return report
