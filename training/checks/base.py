"""What a check looks at and what it says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.problems import ProblemType
from registry.tabular.schema import UNUSED_TYPES, Column


class Verdict(StrEnum):
    """How bad it is. ``impossible`` stops a training whatever the model's policy says."""

    passed = "passed"
    warning = "warning"
    impossible = "impossible"


class Finding(msgspec.Struct, frozen=True):
    """What one check found: a sentence, what to do about it, and the columns concerned."""

    check: str
    verdict: Verdict
    message: str
    hint: str = ""
    columns: tuple[str, ...] = ()


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the checks draw their lines; all can be chosen for a model."""

    min_rows: int = 100
    max_categories: int = 50
    min_class_share: float = 0.05
    max_duplicate_share: float = 0.05
    max_missing_share: float = 0.5
    leakage_score: float = 0.99


@dataclass(frozen=True)
class Material:
    """What the checks look at, once.

    ``frame``: canonical features (see ``coerce_frame``) and the raw target, all rows. ``target``: its name,
    empty where there is none. ``columns``: the features' columns. ``held_out``: which rows are set aside.
    ``expected``: the columns of the model's latest version, where there is one.
    """

    frame: pd.DataFrame
    target: str
    columns: Sequence[Column]
    problem: ProblemType
    held_out: npt.NDArray[np.bool_]
    expected: Sequence[Column] | None = None
    limits: Limits = field(default_factory=Limits)

    @cached_property
    def used(self) -> list[Column]:
        """The columns that a model learns from."""
        return [column for column in self.columns if column.type not in UNUSED_TYPES]

    @cached_property
    def labelled(self) -> pd.DataFrame:
        """The rows with a target; all rows where none is needed."""
        if not self.problem.needs_target:
            return self.frame
        return self.frame[self.frame[self.target].notna()]

    @cached_property
    def clean_target(self) -> "pd.Series[Any]":
        """The target as the problem type reads it, rows without one dropped."""
        return self.problem.clean_target(self.raw_target)

    @property
    def raw_target(self) -> "pd.Series[Any]":
        """The target as it came, or nothing but missing values where there is none."""
        return self.problem.target_of(self.frame, self.target)


Check = Callable[[Material], Finding]


def passed(check: str, message: str) -> Finding:
    """All is well."""
    return Finding(check, Verdict.passed, message)


def named(columns: Sequence[str], most: int = 5) -> str:
    """The first few names as a text: ``"a", "b" and 3 more``."""
    shown = ", ".join(f'"{name}"' for name in columns[:most])
    return shown if len(columns) <= most else f"{shown} and {len(columns) - most} more"
