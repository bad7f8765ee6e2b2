"""Which trial won."""

from collections.abc import Iterable

from registry.problems import ProblemType
from training.automl.trials import TrialResult


def rank(results: Iterable[TrialResult], problem: ProblemType) -> list[TrialResult]:
    """The best first by the primary metric's mean; equals by steadiness, then speed; failed last."""
    sign = -1.0 if problem.primary.higher_is_better else 1.0

    def place(result: TrialResult) -> tuple[bool, float, float, float]:
        if result.mean is None or result.std is None:
            return (True, 0.0, 0.0, result.fit_seconds)
        return (False, sign * result.mean, result.std, result.fit_seconds)

    return sorted(results, key=place)
