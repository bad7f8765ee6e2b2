"""Which trials may join an ensemble."""

from training.automl.blending import MOST_ALIKE, _unlike
from training.automl.trials import TrialResult


def trial(algorithm: str, mean: float) -> TrialResult:
    return TrialResult(algorithm, {}, [], mean, 0.0, 1.0)


def test_of_each_algorithm_the_best_few_may_join() -> None:
    ranked = [trial("random_forest", 0.9 - place / 100) for place in range(10)] + [trial("ridge", 0.7)]
    kept = _unlike(ranked)
    assert [one.algorithm for one in kept] == ["random_forest"] * MOST_ALIKE + ["ridge"]
    assert kept[0] is ranked[0]
