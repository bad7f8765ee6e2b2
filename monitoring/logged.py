"""Rows of the log and their outcomes as columns: what counting reads, without an object for each row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from registry.models import ModelVersion

Chances = Mapping[str, float]


@dataclass(frozen=True)
class Answers:
    """What one version was asked and answered, in the order of time; each field has one item a row."""

    created_at: Sequence[datetime]
    features: Sequence[Mapping[str, Any]]
    label: Sequence[str]
    value: Sequence[float | None]
    probabilities: Sequence[Chances | None]
    latency_ms: Sequence[float]
    engine: Sequence[str]
    cached: Sequence[bool]
    asked_by: Sequence[str]

    def answered(self, version: ModelVersion) -> Sequence[Any]:
        """Return the answers whose drift is watched: labels or values."""
        return self.label if version.model.problem.watched == "label" else self.value


@dataclass(frozen=True)
class Truths:
    """Outcomes of one version's answers, in the order of the answers' time; each field has one item a row.

    ``current`` says that the outcome counts; any other one was counted, and is to be taken away.
    ``prediction`` is the answer's key. ``features`` is empty where nobody asked for them.
    """

    prediction: Sequence[str]
    current: Sequence[bool]
    label: Sequence[str]
    value: Sequence[float | None]
    created_at: Sequence[datetime]
    answered_label: Sequence[str]
    answered_value: Sequence[float | None]
    probabilities: Sequence[Chances | None]
    features: Sequence[Mapping[str, Any]]

    def answered(self, version: ModelVersion) -> Sequence[Any]:
        """Return the answers whose drift is watched: labels or values."""
        return self.answered_label if version.model.problem.watched == "label" else self.answered_value
