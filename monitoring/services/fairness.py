"""How differently the groups of a sliced column fare, over live outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from monitoring.counting import quality_of
from monitoring.services.hours import Hour, of_version, sliced_hours, tally_of, versions_of
from monitoring.services.periods import Period
from monitoring.statistics.quality import Estimate, difference, proportion
from monitoring.statistics.slices import MISSING, OTHERS
from registry.models import ModelVersion, RegisteredModel

FEWEST_OUTCOMES = 30
USUAL_GAP = 0.1


@dataclass(frozen=True)
class Group:
    """One slice: how many outcomes are known, and its measures by name."""

    value: str
    labelled: int
    figures: dict[str, Estimate]


@dataclass(frozen=True)
class FairnessGap:
    """The largest difference of one measure between two groups, ``low`` to ``high`` with 95 %.

    ``proven`` says that there is a difference beyond chance, ``allowed`` what the model's gate allows (None
    where it says nothing of this measure).
    """

    measure: str
    highest: str
    lowest: str
    gap: Estimate
    proven: bool
    allowed: float | None


@dataclass(frozen=True)
class FairnessReport:
    """The groups of one column, by the champion's answers whose outcome is known.

    Groups with fewer than 30 outcomes are told, and left out of the gaps.
    """

    version: ModelVersion
    column: str
    groups: list[Group]
    gaps: list[FairnessGap]


def fairness_reports(
    *, model: RegisteredModel, period: Period, version: ModelVersion | None = None
) -> list[FairnessReport]:
    """Compare the groups of each column that the model slices, of the version, else the champion or newest.

    The primary metric is compared, and for a classification whose fairness gate names a favourable answer the
    three rates of Hardt, Price and Srebro (2016): how often it is given, where deserved, and where not.
    """
    found = []
    for column in model.slices:
        sliced = sliced_hours(model, period, column, "quality")
        answered = [hour for hours in sliced.values() for hour in hours]
        versions = [version] if version else versions_of(model, answered)
        if versions:
            found.append(_report(versions[0], column, sliced))
    return found


def _report(version: ModelVersion, column: str, sliced: Mapping[str, list[Hour]]) -> FairnessReport:
    demand = version.model.gates.get("fairness_gap") or {}
    favourable = demand.get("favourable", "")
    groups = [
        _group(version, value, of_version(hours, version), favourable) for value, hours in sliced.items()
    ]
    groups = sorted((one for one in groups if one.labelled), key=lambda one: one.value)
    compared = [
        one for one in groups if one.labelled >= FEWEST_OUTCOMES and one.value not in (OTHERS, MISSING)
    ]
    names = dict.fromkeys(name for one in compared for name in one.figures)
    gaps = [_gap(name, [one for one in compared if name in one.figures], demand, column) for name in names]
    return FairnessReport(version, column, groups, [gap for gap in gaps if gap is not None])


def _group(version: ModelVersion, value: str, hours: list[Hour], favourable: str) -> Group:
    tally, primary = tally_of(hours, "quality"), version.model.problem.primary_metric
    measured = quality_of(version, tally)
    figures = {primary: measured[primary]} if primary in measured else {}
    if favourable and favourable in (version.classes or []):
        figures |= _rates(tally.get("confusion", {}), favourable)
    return Group(value, sum(hour.labelled for hour in hours), figures)


def _rates(confusion: Mapping[str, Mapping[str, int]], favourable: str) -> dict[str, Estimate]:
    def rate(rows: Mapping[str, Mapping[str, int]]) -> Estimate | None:
        total = sum(sum(row.values()) for row in rows.values())
        return proportion(sum(row.get(favourable, 0) for row in rows.values()), total) if total else None

    deserved = {true: row for true, row in confusion.items() if true == favourable}
    undeserved = {true: row for true, row in confusion.items() if true != favourable}
    rates = {
        "selection_rate": rate(confusion),
        "true_positive_rate": rate(deserved),
        "false_positive_rate": rate(undeserved),
    }
    return {name: one for name, one in rates.items() if one is not None}


def _gap(name: str, groups: list[Group], demand: Mapping[str, Any], column: str) -> FairnessGap | None:
    if len(groups) < 2:
        return None
    ordered = sorted(groups, key=lambda one: one.figures[name].value)
    # The two furthest apart of many groups lie apart by chance, too: the interval is that of all pairs.
    pairs = len(groups) * (len(groups) - 1) // 2
    gap = difference(ordered[-1].figures[name], ordered[0].figures[name], pairs=pairs)
    asked = demand.get("measure", "primary_metric") if demand.get("column") == column else None
    named = asked == name or (asked == "primary_metric" and not name.endswith("_rate"))
    return FairnessGap(
        name,
        ordered[-1].value,
        ordered[0].value,
        gap,
        gap.low is not None and gap.low > 0,
        float(demand.get("gap", USUAL_GAP)) if named else None,
    )
