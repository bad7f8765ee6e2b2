"""Whether models without answers come out the same again."""

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from registry.problems import get_problem
from training.algorithms.unsupervised import Assigned, Detector, RobustDistance
from training.evaluation.stability import cluster_stability, rank_stability, steadiness

CLUMPS = np.random.default_rng(0).normal(size=(120, 2)) + np.repeat([[0, 0], [9, 0], [0, 9]], 40, axis=0)


def clustering(count: int) -> Assigned:
    return Assigned(KMeans(count, n_init=2, random_state=0)).fit(CLUMPS)


def test_real_groups_come_back_and_invented_ones_do_not() -> None:
    real, invented = (cluster_stability(clustering(count), CLUMPS, 0) for count in (3, 9))
    assert real > 0.99
    assert invented < real - 0.1


def test_an_order_by_distance_is_steadier_than_one_by_chance() -> None:
    rng = np.random.default_rng(0)
    seen, unseen = rng.normal(size=(300, 2)), rng.normal(size=(100, 2)) * 3
    steady = rank_stability(Detector(RobustDistance(random_state=0)).fit(seen), seen, unseen, 0)
    assert steady > 0.95
    assert rank_stability(Detector(Lots()).fit(seen), seen, unseen, 0) < 0.3
    assert rank_stability(Detector(Lots()).fit(seen), seen[:2], unseen, 0) == 0


class Lots(RobustDistance):
    """Draws lots by what it learnt from."""

    def score_samples(self, X: object) -> np.ndarray:
        seed = int(abs(self.axes_.mean_[0]) * 1e6)
        return np.random.default_rng(seed).random(len(np.asarray(X)))


def test_each_kind_is_measured_by_its_own_figure() -> None:
    frame = pd.DataFrame(CLUMPS, columns=["x", "y"])
    model = Pipeline([("scale", StandardScaler()), ("model", clustering(3))]).fit(frame)
    assert set(steadiness(model, frame, frame, get_problem("clustering"), 0)) == {"stability"}
    detector = Pipeline([("scale", StandardScaler()), ("model", Detector(RobustDistance()))]).fit(frame)
    anomalies = get_problem("anomaly_detection")
    assert set(steadiness(detector, frame, frame, anomalies, 0)) == {"rank_stability"}
    assert steadiness(detector, frame, frame, get_problem("classification"), 0) == {}
