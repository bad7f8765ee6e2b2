"""Quality over any period: every metric of every version that answered, and how it went."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from mlplatform.errors import InvalidInput
from monitoring.counting import quality_of
from monitoring.services.concept import ConceptReport, concept_reports
from monitoring.services.expectations import assumptions_of, expected_of
from monitoring.services.hours import Hour, hours_of, of_version, roles_of, tally_of, versions_of
from monitoring.services.periods import Period
from monitoring.services.places import WHOLE, Part
from monitoring.statistics.quality import Estimate, difference
from registry.models import ModelVersion, RegisteredModel

TREND_RESAMPLES = 50  # a band of a picture needs no more


@dataclass(frozen=True)
class VersionQuality:
    """How one version did; ``realized`` is empty where no outcome is known.

    ``estimated`` is what was to be expected without outcomes, over all predictions, on the ``assumptions``
    told; ``ahead`` is the primary metric less the champion's, over each one's own rows; None for the
    champion. ``concept`` is how its errors went in all its time, of a slice None.
    """

    version: ModelVersion
    roles: list[str]
    predictions: int
    labelled: int
    realized: dict[str, Estimate] = field(default_factory=dict)
    estimated: dict[str, Estimate] = field(default_factory=dict)
    assumptions: str = ""
    ahead: Estimate | None = None
    concept: ConceptReport | None = None


@dataclass(frozen=True)
class Step:
    """One step of a trend, from ``begins`` on; without a value where there is nothing to tell it from."""

    begins: datetime
    predictions: int
    labelled: int
    realized: Estimate | None
    estimated: Estimate | None


@dataclass(frozen=True)
class Trend:
    """One version's metric, step by step; steps without a prediction are left out."""

    version: ModelVersion
    metric: str
    steps: list[Step]


@dataclass(frozen=True)
class QualityReport:
    """What a period tells of a model's quality; no versions where none answered and none is champion."""

    period: Period
    versions: list[VersionQuality]
    trends: list[Trend]


def quality_report(
    *,
    model: RegisteredModel,
    period: Period,
    metric: str = "",
    version: int | None = None,
    part: Part = WHOLE,
) -> QualityReport:
    """Measure the versions that answered in the period, or the one of this number, over a slice or the whole.

    ``metric`` is the trend's, the primary one where it is empty. Raises InvalidInput for one that the
    problem type has not.
    """
    name = metric_named(model, metric)
    hours = hours_of(model, period, "quality", "estimate", part=part)
    versions = versions_of(model, hours)
    if version is not None:
        versions = [one for one in versions if one.number == version]
    roles = roles_of(model, versions)
    measured = [_measured(one, roles[one.pk], of_version(hours, one)) for one in versions]
    trends = [_trend(one, name, period, of_version(hours, one)) for one in versions]
    concepts = concept_reports(versions) if part == WHOLE else {}
    told = [replace(one, concept=concepts.get(one.version.pk)) for one in measured]
    return QualityReport(period, _compared(model, told), trends)


def metric_named(model: RegisteredModel, name: str) -> str:
    """Return the metric's name, the primary one's where it is empty; raises InvalidInput."""
    known = [metric.name for metric in model.problem.metrics]
    if name and name not in known:
        wrong = f"{model.problem.title} has no metric {name[:60]!r}. Choose one of: {', '.join(known)}."
        raise InvalidInput(wrong, fields={"metric": [wrong]})
    return name or model.problem.primary_metric


def _measured(version: ModelVersion, roles: list[str], hours: Sequence[Hour]) -> VersionQuality:
    return VersionQuality(
        version,
        roles,
        sum(hour.predictions for hour in hours),
        sum(hour.labelled for hour in hours),
        quality_of(version, tally_of(hours, "quality")),
        expected_of(version, tally_of(hours, "estimate")),
        assumptions_of(version),
    )


def _compared(model: RegisteredModel, found: Sequence[VersionQuality]) -> list[VersionQuality]:
    """Hold each version against the champion, where both have outcomes."""
    name = model.problem.primary_metric
    champion = next((one.realized.get(name) for one in found if "champion" in one.roles), None)
    return [
        replace(one, ahead=difference(one.realized[name], champion))
        if champion is not None and name in one.realized and "champion" not in one.roles
        else one
        for one in found
    ]


def _trend(version: ModelVersion, metric: str, period: Period, hours: Sequence[Hour]) -> Trend:
    places: dict[int, list[Hour]] = {}
    for hour in hours:
        places.setdefault(period.place(hour.begins), []).append(hour)
    steps = [
        Step(
            period.begins(place),
            sum(hour.predictions for hour in inside),
            sum(hour.labelled for hour in inside),
            quality_of(version, tally_of(inside, "quality"), resamples=TREND_RESAMPLES).get(metric),
            expected_of(version, tally_of(inside, "estimate"), resamples=TREND_RESAMPLES).get(metric),
        )
        for place, inside in sorted(places.items())
    ]
    return Trend(version, metric, steps)
