"""How a model served over any period: how much, how fast, by what, and from memory or not."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitoring.counting import latency_percentile
from monitoring.services.hours import Hour, hours_of, of_version, tally_of, versions_of
from monitoring.services.periods import Period
from monitoring.services.places import WHOLE, Part
from monitoring.services.request_figures import RequestReport, request_report
from registry.inference.engines import Engine
from registry.models import ModelVersion, RegisteredModel


@dataclass(frozen=True)
class Latency:
    """Within how many milliseconds half, 95 and 99 of 100 rows were answered; the mean."""

    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    mean_ms: float | None


@dataclass(frozen=True)
class VersionService:
    """How one version served. ``fallbacks`` are answers of the original where there is a twin."""

    version: ModelVersion
    predictions: int
    latency: Latency
    engines: dict[str, int]
    cached: int
    fallbacks: int


@dataclass(frozen=True)
class ServiceStep:
    """One step of the course, of all versions together."""

    begins: datetime
    predictions: int
    p95_ms: float | None


@dataclass(frozen=True)
class ServiceReport:
    """All versions together, each one, and the course; steps without a prediction are left out.

    ``requests`` tell how the requests ended, refused and failed ones as well; of a slice that is not known.
    """

    predictions: int
    latency: Latency
    cached: int
    fallbacks: int
    versions: list[VersionService]
    steps: list[ServiceStep]
    requests: RequestReport | None = None


def service_report(*, model: RegisteredModel, period: Period, part: Part = WHOLE) -> ServiceReport:
    """Return how the model served over the period: the answers in the log, and how the requests ended."""
    hours = hours_of(model, period, "service", part=part)
    versions = [_of(one, of_version(hours, one)) for one in versions_of(model, hours)]
    whole = tally_of(hours, "service")
    return ServiceReport(
        _served(hours),
        _latency(whole, _served(hours)),
        whole.get("cached", 0),
        sum(one.fallbacks for one in versions),
        versions,
        _steps(hours, period),
        request_report(model=model, period=period) if part == WHOLE else None,
    )


def _served(hours: Iterable[Hour]) -> int:
    """How many predictions were answered here; imported history was not."""
    return sum(hour.predictions - hour.counts["service"].get("imported", 0) for hour in hours)


def _of(version: ModelVersion, hours: Sequence[Hour]) -> VersionService:
    served, rows = tally_of(hours, "service"), _served(hours)
    engines = dict(served.get("engine", {}))
    fallbacks = engines.get(Engine.ORIGINAL, 0) if version.twin_file and len(engines) > 1 else 0
    return VersionService(version, rows, _latency(served, rows), engines, served.get("cached", 0), fallbacks)


def _latency(served: Mapping[str, Any], rows: int) -> Latency:
    counts = served.get("latency", {})
    mean = served.get("latency_ms", 0.0) / rows if rows else None
    half, most, nearly_all = (latency_percentile(counts, share) for share in (0.5, 0.95, 0.99))
    return Latency(half, most, nearly_all, mean)


def _steps(hours: Iterable[Hour], period: Period) -> list[ServiceStep]:
    places: dict[int, list[Hour]] = {}
    for hour in hours:
        places.setdefault(period.place(hour.begins), []).append(hour)
    return [
        ServiceStep(
            period.begins(place),
            _served(inside),
            latency_percentile(tally_of(inside, "service").get("latency", {}), 0.95),
        )
        for place, inside in sorted(places.items())
        if _served(inside)
    ]
