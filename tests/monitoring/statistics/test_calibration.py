"""What was said against what happened."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from monitoring.statistics.calibration import (
    brier_score,
    calibration_error_noise,
    expected_calibration_error,
    reliability,
)


def test_the_diagram_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    said = rng.uniform(size=2_000)
    happened = (rng.uniform(size=2_000) < said**2).astype("float64")
    diagram = reliability(said, happened)
    share, mean = calibration_curve(happened, said, n_bins=10)
    assert [one.happened for one in diagram] == pytest.approx(list(share), abs=1e-12)
    assert [one.said for one in diagram] == pytest.approx(list(mean), abs=1e-12)


def test_the_error_by_hand() -> None:
    diagram = reliability(np.array([0.1, 0.1, 0.9, 0.9]), np.array([0.0, 0.0, 1.0, 0.0]))
    assert expected_calibration_error(diagram) == pytest.approx((2 * 0.1 + 2 * 0.4) / 4)


def test_a_calibrated_model_shows_about_the_noise_that_is_told() -> None:
    rng = np.random.default_rng(1)
    errors, noise = [], []
    for _ in range(200):
        said = rng.uniform(size=500)
        diagram = reliability(said, (rng.uniform(size=500) < said).astype("float64"))
        errors.append(expected_calibration_error(diagram) or 0.0)
        noise.append(calibration_error_noise(diagram))
    assert np.mean(noise) == pytest.approx(np.mean(errors), rel=0.1)


def test_certainty_belongs_to_the_last_bin() -> None:
    (one,) = reliability(np.array([1.0]), np.array([1.0]))
    assert (one.low, one.high, one.rows) == (0.9, 1.0, 1)


def test_brier_is_scikit_learns() -> None:
    said, happened = np.array([0.2, 0.7, 1.0]), np.array([0.0, 1.0, 0.0])
    assert brier_score(said, happened) == pytest.approx(brier_score_loss(happened, said), abs=1e-12)


def test_no_rows_have_no_error() -> None:
    nothing = np.array([])
    assert expected_calibration_error(reliability(nothing, nothing)) is None
    assert brier_score(nothing, nothing) is None
    assert calibration_error_noise([]) == 0


@pytest.mark.parametrize(
    ("said", "happened", "told"), [([0.5], [1.0, 0.0], "each"), ([1.5], [1.0], "between 0 and 1")]
)
def test_what_is_no_probability_is_refused(said: list[float], happened: list[float], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        reliability(np.array(said), np.array(happened))
