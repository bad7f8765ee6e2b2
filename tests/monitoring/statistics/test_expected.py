"""Expected quality from counts agrees with that from rows."""

import numpy as np
import pytest

from monitoring.statistics.estimated import (
    Calibrator,
    TooFewOutcomes,
    expected_area,
    expected_confusion,
    metrics_of_confusion,
)
from monitoring.statistics.expected import expected_quality, tally_of_answers
from monitoring.statistics.tallies import added

CLASSES = ["a", "b", "c"]


def answers(rows: int = 4_000, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    said = rng.dirichlet([0.7] * classes, size=rows)
    return said, np.array(CLASSES, dtype=object)[said.argmax(axis=1)]


def test_counts_say_what_the_rows_say() -> None:
    said, answered = answers()
    tally = tally_of_answers(answered, said, CLASSES)
    found = expected_quality(tally, {})
    expected = metrics_of_confusion(expected_confusion(said, said.argmax(axis=1)))
    for name, value in expected.items():
        assert found[name].value == pytest.approx(value, abs=0.002), name
        low, high = found[name].low, found[name].high
        assert low is not None
        assert high is not None
        assert low <= value <= high


def test_two_classes_have_the_expected_area_and_scores() -> None:
    said, answered = answers(classes=2)
    found = expected_quality(tally_of_answers(answered, said, CLASSES[:2]), {})
    assert found["roc_auc"].value == pytest.approx(expected_area(said[:, 1], said[:, 1]), abs=0.002)
    assert found["brier"].value == pytest.approx((said[:, 1] * said[:, 0]).mean(), abs=0.002)


def test_hours_add_up_and_rows_without_probabilities_are_left_out() -> None:
    said, answered = answers(500)
    said[:10] = np.nan
    parts = [tally_of_answers(answered[i : i + 100], said[i : i + 100], CLASSES) for i in range(0, 500, 100)]
    total: dict[str, object] = {}
    for part in parts:
        total = added(total, part)
    assert total == tally_of_answers(answered, said, CLASSES)
    assert total["rows"] == 490
    assert tally_of_answers(answered[:0], said[:0], CLASSES) == {}
    assert expected_quality({}, {}) == {}


def test_a_calibration_corrects_what_was_said() -> None:
    said = np.full((200, 2), 0.1)
    said[:, 0] = 0.9
    answered = np.full(200, "a", dtype=object)
    sure = {
        "a": Calibrator.of_bins([0.1, 0.9], [0.4, 0.6], [100, 100]),
        "b": Calibrator.of_bins([0.1, 0.9], [0.4, 0.6], [100, 100]),
    }
    tally = tally_of_answers(answered, said, ["a", "b"])
    assert expected_quality(tally, {})["accuracy"].value == pytest.approx(0.9, abs=0.01)
    assert expected_quality(tally, sure)["accuracy"].value == pytest.approx(0.6, abs=0.01)
    with pytest.raises(TooFewOutcomes):
        Calibrator.of_bins([0.1], [0.1], [99])
