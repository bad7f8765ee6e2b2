"""The wrappers keep scikit-learn's rules, and answer as their documentation says."""

from typing import Any

import numpy as np
import pytest
from sklearn.cluster import DBSCAN, HDBSCAN, AgglomerativeClustering, KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.svm import OneClassSVM
from sklearn.utils.estimator_checks import check_estimator

from training.algorithms.isolation_forest import SmallSampleForest
from training.algorithms.unsupervised import (
    Assigned,
    Detector,
    DetectorEnsemble,
    LocalDensity,
    Mixture,
    RobustDistance,
)
from training.algorithms.unsupervised.scale import ScoreScale

FOREST = SmallSampleForest(n_estimators=10, random_state=0)
MEMBERS = [RobustDistance(random_state=0), OneClassSVM(nu=0.05)]
LEFT_OUT = dict.fromkeys(
    ("check_outliers_train", "check_outliers_fit_predict"),
    "each training row is left out of its own neighbourhood, so asked anew it scores a little lower",
)
ESTIMATORS = [
    Detector(FOREST),
    Detector(RobustDistance(random_state=0)),
    Detector(LocalDensity()),
    Detector(DetectorEnsemble(MEMBERS)),
    DetectorEnsemble(MEMBERS, "scale"),
    Assigned(KMeans(3, n_init=1, random_state=0)),
    Assigned(AgglomerativeClustering(3)),
    Assigned(DBSCAN(eps=0.5), "core"),
    Assigned(HDBSCAN(copy=True), "core"),
    Mixture(3, random_state=0),
]


def expected_failures(estimator: Any) -> dict[str, str]:
    """Which checks an estimator may fail, and why."""
    local = isinstance(estimator, Detector) and isinstance(estimator.estimator, LocalDensity)
    return LEFT_OUT if local else {}


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda one: " ".join(str(one).split()))
def test_it_keeps_scikit_learns_rules(estimator: Any) -> None:
    # What is skipped asks for arrays of other libraries.
    results = check_estimator(estimator, expected_failed_checks=expected_failures(estimator), on_skip=None)
    assert len(results) > 30
    failed = {one["check_name"] for one in results if one["status"] == "xfail"}
    assert failed == set(expected_failures(estimator))


def blobs(seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.5, (90, 2)) + np.repeat([[0, 0], [8, 0], [0, 8]], [50, 25, 15], axis=0)


class TestScale:
    def test_a_score_is_the_share_of_training_rows_below(self) -> None:
        scale = ScoreScale(np.arange(100.0))
        assert scale(np.array([0.0, 49.5, 99.0])) == pytest.approx([0.005, 0.5, 0.995])

    def test_what_is_beyond_all_that_was_seen_keeps_its_order_below_one(self) -> None:
        far = ScoreScale(np.arange(100.0))(np.array([-50.0, 0, 99.0, 120.0, 500.0]))
        assert (np.diff(far) > 0).all()
        assert far[0] > 0
        assert far[-1] < 1

    def test_equal_scores_share_the_middle_rank(self) -> None:
        assert ScoreScale(np.full(10, 3.0))(np.array([3.0])) == pytest.approx([0.5])

    def test_many_values_are_kept_in_few_knots(self) -> None:
        raw = np.random.default_rng(0).normal(size=50_000)
        scale = ScoreScale(raw)
        assert len(scale.values) <= 2000
        assert (scale(raw) > 0.95).mean() == pytest.approx(0.05, abs=0.001)


class TestDetector:
    @pytest.mark.parametrize("contamination", [0.02, 0.1, 0.3])
    def test_it_flags_the_stated_share_of_the_training_rows(self, contamination: float) -> None:
        X = np.random.default_rng(1).normal(size=(500, 3))
        detector = Detector(RobustDistance(random_state=0), contamination).fit(X)
        assert (detector.predict(X) == -1).mean() == pytest.approx(contamination, abs=0.003)

    def test_a_threshold_overrules_the_contamination(self) -> None:
        X = np.random.default_rng(1).normal(size=(500, 3))
        detector = Detector(FOREST, 0.05, threshold=0.8).fit(X)
        assert (detector.predict(X) == -1).mean() == pytest.approx(0.2, abs=0.01)

    def test_it_learns_from_a_sample_where_there_are_many_rows(self) -> None:
        X = np.random.default_rng(1).normal(size=(500, 2))
        detector = Detector(LocalDensity(), max_rows=100, random_state=0).fit(X)
        assert detector.estimator_.factor_.n_samples_fit_ == 100


class TestAssigned:
    def test_a_row_joins_the_nearest_mean_and_the_largest_cluster_comes_first(self) -> None:
        fitted = Assigned(AgglomerativeClustering(3)).fit(blobs())
        labels, away = fitted.assign([[0.1, 0.0], [7.0, 0.0], [0.0, 9.0]])
        assert labels.tolist() == [0, 1, 2]
        assert away[1] == pytest.approx(1.0, abs=0.3)

    def test_the_number_of_clusters_is_found_where_none_is_given(self) -> None:
        unknown = AgglomerativeClustering().set_params(n_clusters=None)
        assert Assigned(unknown).fit(blobs()).n_clusters_ == 3
        assert Mixture(random_state=0).fit(blobs()).n_clusters_ == 3

    def test_dbscans_own_answers_come_back_for_its_training_rows(self) -> None:
        X = np.vstack([blobs(), [[4.0, 4.0]]])
        own = DBSCAN(eps=0.8).fit_predict(X)
        placed = Assigned(DBSCAN(eps=0.8), "core").fit(X).labels_
        assert adjusted_rand_score(own, placed) == 1.0
        assert placed[-1] == -1

    @pytest.mark.parametrize("inner", [DBSCAN(eps=0.8), HDBSCAN(copy=True)])
    def test_a_row_out_of_reach_joins_no_cluster(self, inner: Any) -> None:
        fitted = Assigned(inner, "core").fit(blobs())
        assert fitted.predict([[0.0, 0.1], [4.0, 4.0]]).tolist() == [0, -1]

    def test_without_any_cluster_every_row_is_outside(self) -> None:
        fitted = Assigned(DBSCAN(eps=1e-6), "core").fit(blobs())
        labels, away = fitted.assign(blobs())
        assert set(labels) == {-1}
        assert set(away) == {0.0}

    def test_eps_is_read_off_the_data_where_none_is_given(self) -> None:
        fitted = Assigned(DBSCAN().set_params(eps=None), "core", reach=0.9).fit(blobs())
        assert 0.2 < fitted.estimator_.eps < 1.5
        assert fitted.n_clusters_ == 3
