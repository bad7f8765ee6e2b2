"""By what a rollout is judged: what was asked for, and what follows from the problem where nothing was."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from registry.errors import InvalidRollout
from registry.models import ModelVersion, RegisteredModel
from registry.models.rollout import (
    LEAST_ALPHA,
    LEAST_OUTCOMES,
    LONGEST_DAYS,
    MOST_ALPHA,
    MOST_OUTCOMES,
    RolloutKind,
)

LABEL_MARGIN = 0.02  # of a canary: two more wrong labels in a hundred
NUMBER_MARGIN = 0.1  # of a canary: the mean error grows by a tenth, as the gate on the hold-out allows
WIDTH = 4.0  # errors are counted up to so many mean errors of the champion


@dataclass(frozen=True)
class Judging:
    """The fields of a rollout that say how it is judged; ``days`` is the longest that it lasts."""

    margin: float
    alpha: float
    minimum: int
    largest_error: float
    critical_error: float | None
    days: float

    def stored(self) -> dict[str, Any]:
        """Return what the row keeps."""
        names = ("margin", "alpha", "minimum", "largest_error", "critical_error")
        return {name: getattr(self, name) for name in names}


def judging(
    *, model: RegisteredModel, champion: ModelVersion, kind: str, given: Mapping[str, Any]
) -> Judging:
    """Return how to judge, in the errors' own unit: the share of wrong labels, or the target's unit.

    Raises InvalidRollout.
    """
    asked = {name: value for name, value in given.items() if value is not None}
    unknown = set(asked) - set(Judging.__dataclass_fields__)
    if unknown:
        raise InvalidRollout(f"A rollout has no {', '.join(sorted(unknown))}.")
    if model.problem.outcome is None:
        raise InvalidRollout(
            f"{model.name} {model.purpose}: no outcome can tell which version is right, so there is nothing "
            "to compare. Promote the version through its gates."
        )
    largest = asked.get("largest_error") or _largest(model, champion)
    judged = Judging(
        margin=asked.get("margin", _margin(model, champion, kind)),
        alpha=asked.get("alpha", 0.05),
        minimum=asked.get("minimum", 100),
        largest_error=largest,
        critical_error=asked.get("critical_error"),
        days=asked.get("days", 30),
    )
    _check(model, judged)
    return judged


def _numeric(model: RegisteredModel) -> bool:
    return model.problem.outcome == "value"


def _largest(model: RegisteredModel, champion: ModelVersion) -> float:
    if not _numeric(model):
        return 1.0
    mean = champion.metrics.get("mae") or 0.0
    if not mean > 0:
        problem = f"{champion} has no mean absolute error to go by. Say beyond which error all count alike."
        raise InvalidRollout(problem, fields={"largest_error": [problem]})
    return WIDTH * float(mean)


def _margin(model: RegisteredModel, champion: ModelVersion, kind: str) -> float:
    if kind != RolloutKind.CANARY:
        return 0.0
    if not _numeric(model):
        return LABEL_MARGIN
    return NUMBER_MARGIN * float(champion.metrics.get("mae") or 0.0)


def _check(model: RegisteredModel, judged: Judging) -> None:
    wrong = dict(_faults(judged))
    if not _numeric(model):
        wrong |= dict(_faults_of_labels(judged))
    if wrong:
        name, problem = next(iter(wrong.items()))
        fields = {name: [problem] for name, problem in wrong.items()}
        raise InvalidRollout(f"The rollout cannot work like that. {name}: {problem}", fields=fields)


def _faults(judged: Judging) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with each field; what is not a number lies between no bounds."""
    if not 0 < judged.largest_error < math.inf:
        yield "largest_error", "Must be a number above 0."
    if not 0 <= judged.margin < judged.largest_error:
        yield "margin", f"Must lie between 0 and the largest error, {judged.largest_error:g}."
    if not LEAST_ALPHA <= judged.alpha <= MOST_ALPHA:
        yield "alpha", f"Must lie between {LEAST_ALPHA:g} and {MOST_ALPHA:g}."
    if not LEAST_OUTCOMES <= judged.minimum <= MOST_OUTCOMES:
        yield "minimum", f"Must lie between {LEAST_OUTCOMES} and {MOST_OUTCOMES:,}."
    if not 0 < judged.days <= LONGEST_DAYS:
        yield "days", f"Must lie above 0 and be at most {LONGEST_DAYS}."
    if judged.critical_error is not None and not 0 < judged.critical_error < math.inf:
        yield "critical_error", "Must be a number above 0."


def _faults_of_labels(judged: Judging) -> Iterator[tuple[str, str]]:
    if judged.largest_error != 1:
        yield "largest_error", "A label is right or wrong: leave it out."
    if judged.critical_error is not None and judged.critical_error > 1:
        yield "critical_error", "Of labels it is a probability: at most 1."
