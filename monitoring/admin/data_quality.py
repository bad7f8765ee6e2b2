"""The monitoring page's data quality: what is amiss with the rows."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from mlplatform.admin.parts import Badge, Facts, Lines, Section, Table
from mlplatform.admin.render import duration, number
from monitoring.admin.measured import Shown, tab
from monitoring.services.data_quality import ColumnQuality, DataReport, data_report
from registry.admin.words import version_link
from registry.models import RegisteredModel

ASK = "No row was asked in this period. Ask the model at its predict address, or choose a longer period."
WORDS = {
    "missing": "more missing values",
    "unknown": "categories that the training data did not have",
    "low": "values below the training data",
    "high": "values above the training data",
    "mistyped": "values of another type",
}
SHOWN = 40


@tab("data", "Data quality", at=40)
def data_sections(model: RegisteredModel, shown: Shown) -> Iterable[Section | None]:
    """Yield volume, freshness and repeats, and what is amiss column by column."""
    found = data_report(model=model, period=shown.period, part=shown.part)
    if found is None or not found.rows:
        yield Table("Data quality", [], [], empty=ASK)
        return
    yield _facts(found)
    columns = found.columns[:SHOWN]
    left = len(found.columns) - len(columns)
    note = "Shares of the period's rows; a verdict allows one false alarm in a hundred such tables."
    yield Table(
        "Columns",
        ["Column", "Verdict", "Missing", "Unknown categories", "Beyond the training data", "Another type"],
        [_row(one) for one in columns],
        empty="The version has no reference to hold the rows against.",
        note=f"{note} {left} more columns without anything amiss." if left > 0 else note,
    )


def _facts(found: DataReport) -> Facts:
    change = "" if not found.before else f" ({found.rows / found.before:.0%} of the {found.before:,} before)"
    age = None if found.age_seconds is None else duration(timedelta(seconds=found.age_seconds))
    return Facts(
        "Rows",
        [
            ("Version", version_link(found.version)),
            ("Volume", f"{found.rows:,}{change}"),
            ("Last row", found.last),
            ("Age of the last row", age),
            ("Hours without a row", found.silent_hours),
            ("Repeated rows", None if found.repeated is None else f"about {found.repeated:.1%}"),
        ],
        "Repeated rows say what another row of the period says; beyond 400 different rows, within 10 %.",
        wide=True,
    )


def _row(one: ColumnQuality) -> list[Any]:
    changed = Lines(Badge("Amiss", "bad"), [WORDS[kind] for kind in one.changed])
    return [
        one.column,
        changed if one.changed else Badge("As before", "good"),
        Lines(_share(one.missing), [f"before {_share(one.missing_before)}"]),
        _share(one.unknown),
        Lines(_share(one.low + one.high), [f"{_share(one.low)} below, {_share(one.high)} above"]),
        _share(one.mistyped),
    ]


def _share(share: float) -> str:
    return f"{number(share * 100)} %"
