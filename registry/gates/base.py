"""What a gate is, and what it may look at."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import msgspec
import pandas as pd

from registry.gates.figures import ShadowFigures
from registry.inference.plan import Plan
from registry.models import ModelVersion, Rollout
from registry.problems import Predictions, ProblemType
from registry.tabular.groups import Groups, groups_of, numbered
from registry.tabular.schema import ColumnType, SchemaMismatch


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a gate can be told; each field has a default, bounds and a description."""


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
    """Rows that no version was trained on: the frame as frozen, its columns' kinds, the cleaned target."""

    frame: pd.DataFrame
    target: "pd.Series[Any]"
    kinds: Mapping[str, ColumnType] = field(default_factory=dict)


@dataclass(frozen=True)
class Evidence:
    """What gates judge by. ``plan`` loads what is stored; ``holdout`` reads the candidate's dataset.

    ``answers`` are a version's for the hold-out. ``findings`` are what the checks of the candidate's data
    found, None where no training job tells; ``shadow`` is how the candidate did in shadow of the champion,
    which there must be, and ``rollout`` the newest one of the two. The values of ``personal`` columns are
    told to nobody.
    """

    candidate: ModelVersion
    champion: ModelVersion | None
    problem: ProblemType
    plan: Callable[[ModelVersion], Plan]
    holdout: Callable[[], HoldOut]
    answers: Callable[[ModelVersion], Predictions]
    findings: Callable[[], list[dict[str, Any]] | None]
    shadow: Callable[[], ShadowFigures]
    personal: frozenset[str] = frozenset()
    rollout: Callable[[], Rollout | None] = lambda: None

    def groups(self, column: str, min_rows: int) -> Groups:
        """Return the hold-out's row positions by the column's value; personal values are numbered instead.

        Raises SchemaMismatch where the data have no such column.
        """
        holdout = self.holdout()
        if column not in holdout.frame:
            raise SchemaMismatch(f"The hold-out has no column {column!r}. Name one of the dataset's columns.")
        kind = holdout.kinds.get(column, ColumnType.category)
        found = groups_of(holdout.frame[column], kind, min_rows)
        if column not in self.personal:
            return found
        return numbered(found)


Verdict = tuple[bool, str, dict[str, Any]]


def _fits_all(problem: ProblemType, parameters: Any) -> str:
    return ""


@dataclass(frozen=True)
class Gate:
    """A named check. ``check`` returns whether it passed, the sentence, and numbers to show.

    It raises what its evidence raises (ArtifactCorrupt, DatasetCorrupt, SchemaMismatch, CannotPredict):
    a gate that could not be checked has not been passed. ``always`` ones every model demands, ``standard``
    ones also a model for which nobody has chosen. ``unfit`` says why parameters do not suit a problem type.
    """

    name: str
    title: str
    purpose: str
    check: Callable[[Evidence, Any], Verdict]
    parameters: type[Parameters] = Parameters
    always: bool = False
    standard: bool = False
    unfit: Callable[[ProblemType, Any], str] = _fits_all
