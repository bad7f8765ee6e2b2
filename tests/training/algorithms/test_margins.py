"""Probabilities from margins."""

import numpy as np
import pytest
from sklearn.svm import SVC

from training.algorithms.margins import MarginProbabilities

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 2))
NOISY = np.where(X[:, 0] + RNG.normal(scale=0.8, size=300) > 0, "yes", "no").astype(object)


def test_the_probabilities_are_honest_on_unseen_rows() -> None:
    fitted = MarginProbabilities(SVC(kernel="linear")).fit(X, NOISY)
    fresh = RNG.normal(size=(4000, 2))
    truth = fresh[:, 0] + RNG.normal(scale=0.8, size=4000) > 0
    yes = fitted.predict_proba(fresh)[:, 1]
    for low in (0.1, 0.4, 0.7):
        near = (yes >= low) & (yes < low + 0.2)
        assert truth[near].mean() == pytest.approx(yes[near].mean(), abs=0.12)
    assert set(fitted.predict(fresh)) == {"no", "yes"}


def test_three_classes_share_one() -> None:
    labels = np.array(["a", "b", "c"], dtype=object)[(X[:, 0] > 0).astype(int) + (X[:, 1] > 0)]
    fitted = MarginProbabilities(SVC()).fit(X, labels)
    assert fitted.classes_.tolist() == ["a", "b", "c"]
    assert fitted.predict_proba(X).sum(axis=1) == pytest.approx(1)
    assert (fitted.predict(X) == labels).mean() > 0.9


@pytest.mark.parametrize("rare", [1, 2])
def test_a_class_of_hardly_any_row_is_learnt_too(rare: int) -> None:
    labels = np.array(["often"] * 40 + ["rare"] * rare, dtype=object)
    rows = np.vstack([RNG.normal(size=(40, 2)), 9 + RNG.normal(scale=0.1, size=(rare, 2))])
    fitted = MarginProbabilities(SVC(kernel="linear")).fit(rows, labels)
    answers = fitted.predict_proba(rows)
    assert np.isfinite(answers).all()
    assert answers[-1, 1] > answers[0, 1]


def test_weights_reach_the_inner_classifier() -> None:
    weights = np.where(NOISY == "yes", 10.0, 1.0)
    plain = MarginProbabilities(SVC()).fit(X, NOISY).predict_proba(X)[:, 1]
    weighed = MarginProbabilities(SVC()).fit(X, NOISY, sample_weight=weights).predict_proba(X)[:, 1]
    assert weighed.mean() > plain.mean() + 0.1


def test_the_same_seed_gives_the_same_probabilities() -> None:
    once, again = (MarginProbabilities(SVC(), 3).fit(X, NOISY).predict_proba(X) for _ in range(2))
    assert (once == again).all()
