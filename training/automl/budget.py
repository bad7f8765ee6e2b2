"""How long a search goes on."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta

from training.automl.study import Past, State

MIN_COMPARED = 5  # complete trials before one may be called hopeless


class SearchSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How parameters are searched, and when to stop: whichever comes first."""

    method: Literal["tpe", "random", "halving", "grid"] = "tpe"
    trials: Annotated[int, Meta(ge=1, le=1000, description="Most trials.")] = 40
    seconds: Annotated[int, Meta(ge=5, le=86_400, description="No trial begins after so long.")] | None = None
    patience: (
        Annotated[int, Meta(ge=1, le=1000, description="Stop after so many trials without a better one.")]
        | None
    ) = None


class AutoMLSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an automatic search aims at, and how long it may take."""

    seconds: Annotated[
        int, Meta(ge=10, le=86_400, description="For everything: trials, ensemble and the last fit.")
    ] = 60
    trials: (
        Annotated[int, Meta(ge=2, le=10_000, description="Most trials; left out: as the time allows.")] | None
    ) = None
    metric: (
        Annotated[str, Meta(max_length=40, description="What it aims at; left out: the leaderboard's.")]
        | None
    ) = None
    ensemble: Annotated[bool, Meta(description="Let the best answer together where that is better.")] = True
    per_millisecond: Annotated[
        float,
        Meta(
            ge=0, le=1e6, description="How much of the metric one millisecond of an answer's time is worth."
        ),
    ] = 0.0
    patience: (
        Annotated[int, Meta(ge=5, le=1000, description="Stop after so many trials without a better one.")]
        | None
    ) = 100


def used_up(settings: SearchSettings, past: Sequence[Past], seconds: float) -> str | None:
    """Why the search ends here, in words; None where it goes on.

    Args:
        past: the trials so far. seconds: since the search began.
    """
    if len(past) >= settings.trials:
        return f"all {settings.trials} trials were made"
    if settings.seconds is not None and seconds >= settings.seconds:
        return f"the {settings.seconds} seconds are over"
    if settings.patience is not None and since_best(past) >= settings.patience:
        return f"{settings.patience} trials in a row were no better"
    return None


def used_share(settings: SearchSettings, past: Sequence[Past], seconds: float) -> float:
    """How much of the budget is gone, 0 to 1."""
    of_time = seconds / settings.seconds if settings.seconds else 0.0
    return min(1.0, max(len(past) / settings.trials, of_time))


def since_best(past: Sequence[Past]) -> int:
    """How many ended trials came after the best one, in the order given; trials on few rows do not count."""
    values = [trial.value for trial in past if trial.share == 1.0 and trial.state is not State.running]
    known = [(value, -place) for place, value in enumerate(values) if value is not None]
    return len(values) - 1 + max(known)[1] if known else 0


def hopeless(scores: Sequence[float], others: Sequence[Sequence[float]], unknown: int = 0) -> bool:
    """Whether a trial's folds so far are worse than those of half the complete trials (the median rule).

    Args:
        scores: of its first folds, higher is better. others: all folds of each complete trial, same order.
        unknown: how many rivals are still being tried. True only where it is so whatever becomes of them.
    """
    if len(others) < MIN_COMPARED or not scores:
        return False
    rivals = [float(np.mean(other[: len(scores)])) for other in others if len(other) > len(scores)]
    least = rivals + [-np.inf] * unknown  # the lowest that the median can come to be
    return bool(rivals) and float(np.mean(scores)) < float(np.median(least))
