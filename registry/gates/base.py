"""What a gate is, and what it may look at."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from registry.inference.plan import Plan
from registry.models import ModelVersion


@dataclass(frozen=True)
class GateResult:
    """One gate's verdict in words and numbers."""

    name: str
    title: str
    passed: bool
    detail: str
    numbers: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the result as it is stored and sent."""
        return asdict(self)


@dataclass(frozen=True)
class HoldOut:
    """Rows that no version was trained on: the frame as frozen, and their cleaned target."""

    frame: pd.DataFrame
    target: "pd.Series[Any]"


@dataclass(frozen=True)
class Evidence:
    """What gates judge by. ``plan`` loads what is stored; ``holdout`` reads the candidate's dataset."""

    candidate: ModelVersion
    champion: ModelVersion | None
    problem_type: str
    plan: Callable[[ModelVersion], Plan]
    holdout: Callable[[], HoldOut]


@dataclass(frozen=True)
class Gate:
    """A named check. ``check`` returns whether it passed, the sentence, and numbers to show.

    It raises what its evidence raises (ArtifactCorrupt, DatasetCorrupt, SchemaMismatch, CannotPredict):
    a gate that could not be checked has not been passed.
    """

    name: str
    title: str
    check: Callable[[Evidence], tuple[bool, str, dict[str, Any]]]
