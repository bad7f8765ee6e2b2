"""What is tried, and what came of it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from registry.problems import Predictions

ENSEMBLE = "ensemble"
VOTE, STACK = "vote", "stack"


class TrialSpec(msgspec.Struct, frozen=True):
    """What to try: an algorithm's key, its raw parameters, and how the inputs are prepared.

    An ensemble has the key ``ensemble`` and the parameters ``{"how": "vote" or "stack", "members":
    [{"algorithm", "params", "preprocessing", "weight"}]}``.
    """

    algorithm: str
    params: dict[str, Any] = {}
    preprocessing: dict[str, Any] = {}

    @property
    def members(self) -> list[tuple["TrialSpec", float]]:
        """The members with their weights: of an ensemble, or of one model itself."""
        if self.algorithm != ENSEMBLE:
            return [(self, 1.0)]
        return [
            (TrialSpec(one["algorithm"], one["params"], one["preprocessing"]), one["weight"])
            for one in self.params["members"]
        ]

    @property
    def is_stacked(self) -> bool:
        """Whether it is an ensemble whose weights need not sum to 1."""
        return self.algorithm == ENSEMBLE and self.params.get("how") == STACK


def ensemble_of(members: Mapping[int, float], specs: list[TrialSpec], how: str = VOTE) -> TrialSpec:
    """The spec of an ensemble of ``specs`` by place, with weights; the heaviest first."""
    heaviest = sorted(members, key=lambda place: (-members[place], place))
    listed = [
        {
            "algorithm": specs[place].algorithm,
            "params": specs[place].params,
            "preprocessing": specs[place].preprocessing,
            "weight": members[place],
        }
        for place in heaviest
    ]
    return TrialSpec(ENSEMBLE, {"how": how, "members": listed})


class TrialResult(msgspec.Struct, frozen=True):
    """What came of it: all metrics of each fold, mean and deviation of the one that counts, or an error.

    ``mean`` and ``std`` are None where ``error`` says why the trial failed, or where it was ``given_up``.
    ``fit_seconds`` are those of all folds together. ``predict_ms`` is the time of one row's answer in
    milliseconds, ``size_bytes`` the fitted pipeline's size in memory. ``out_of_fold`` holds each row's answer
    by the model that had not seen it, in the order of the rows; None where not every row was answered.
    ``again`` holds such answers on other divisions into folds, whose scores ``fold_scores`` go on with.
    ``share`` is that of the folds' training rows that were learnt from.
    """

    algorithm: str
    params: dict[str, Any]
    fold_scores: list[dict[str, float]]
    mean: float | None
    std: float | None
    fit_seconds: float
    error: str | None = None
    warnings: tuple[str, ...] = ()
    given_up: bool = False
    preprocessing: dict[str, Any] = {}
    predict_ms: float | None = None
    size_bytes: int | None = None
    out_of_fold: Predictions | None = None
    again: tuple[Predictions, ...] = ()
    share: float = 1.0

    @property
    def spec(self) -> TrialSpec:
        """What was tried."""
        return TrialSpec(self.algorithm, self.params, self.preprocessing)
