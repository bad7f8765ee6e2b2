"""The monitoring page's drift: what was asked in the period, of a slice or of the whole, against training."""

from collections.abc import Iterable

from mlplatform.admin.parts import Facts, Section, Table
from monitoring.admin.drift_words import drift_badge, drift_table, measures_table
from monitoring.admin.measured import Shown, tab
from monitoring.services.drift_words import rule_in_words
from monitoring.services.period_drift import drift_over
from monitoring.services.places import WHOLE
from registry.admin.words import version_link
from registry.models import RegisteredModel

NOTHING = (
    "Nothing can be compared: nobody asked the model in this period, or its training rows are not known. "
    "Of a slice at least 30 training rows are needed."
)
SLICED = "A slice is held against its own training rows, so that what makes it a slice is no drift."
BY_HAND = "Told now and not stored; alarms are the checks'. Who looks at many slices finds some by chance."


@tab("drift", "Drift", at=15)
def drift_sections(model: RegisteredModel, shown: Shown) -> Iterable[Section | None]:
    """Yield the verdict, each feature with its picture, and every measure."""
    report = drift_over(model=model, period=shown.period, part=shown.part)
    if report is None:
        yield Table("Drift", [], [], empty=NOTHING)
        return
    whole = shown.part == WHOLE
    facts = [
        ("Version", version_link(report.version)),
        ("Verdict", drift_badge(report)),
        ("Rows", f"{report.rows:,}"),
        ("Judged", rule_in_words(report)),
    ]
    yield Facts("Inputs against training", facts, note=BY_HAND if whole else f"{SLICED} {BY_HAND}", wide=True)
    yield drift_table(report)
    yield measures_table(report)
