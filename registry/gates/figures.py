"""What is known of a version that answered in shadow, in figures."""

from dataclasses import dataclass
from datetime import datetime

from registry.models import ModelVersion
from registry.problems import Comparison
from registry.problems.agreement import Agreement


@dataclass(frozen=True)
class Times:
    """Half and 95 of 100 answers for a single row came within this, in milliseconds, of ``rows`` taken."""

    rows: int
    p50_ms: float
    p95_ms: float
    champion_p50_ms: float
    champion_p95_ms: float


@dataclass(frozen=True)
class ShadowFigures:
    """``version`` in shadow of ``heard``, over rows asked in [since, until).

    ``rows`` it was asked for, ``failed`` among them without an answer, mostly for the reason ``failure``.
    ``dropped`` rows it was never asked for, mostly lately for the reason ``dropped_for``; they are counted
    over all time. ``compared`` are the newest rows, from which the rest follows: ``agreement`` and ``times``,
    ``outcomes`` known among them, ``comparison`` by these, and each version's value of the ``metric``.
    """

    version: ModelVersion
    heard: ModelVersion
    since: datetime
    until: datetime
    rows: int
    failed: int
    failure: str
    dropped: int
    dropped_for: str
    compared: int
    agreement: Agreement | None
    times: Times | None
    outcomes: int
    comparison: Comparison | None
    metric: str
    value: float | None
    heard_value: float | None
