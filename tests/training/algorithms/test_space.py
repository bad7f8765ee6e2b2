import msgspec
import pytest

from training.algorithms import KNOWN, parse_params
from training.algorithms.space import Choices, Range, search_space


def test_ranges_and_choices_are_read_from_the_parameters() -> None:
    space = search_space(KNOWN["random_forest"])
    assert space["n_estimators"] == Range(50, 500, log=True, whole=True)
    assert space["max_depth"] == Range(3, 30, log=True, whole=True)
    assert search_space(KNOWN["logistic_regression"])["class_weight"] == Choices((None, "balanced"))


def test_what_has_no_stated_range_is_not_searched() -> None:
    assert "max_iter" not in search_space(KNOWN["logistic_regression"])
    assert search_space(KNOWN["linear_regression"]) == {}


@pytest.mark.parametrize("key", KNOWN)
def test_everything_that_a_search_tries_is_accepted(key: str) -> None:
    algorithm = KNOWN[key]
    for name, tried in search_space(algorithm).items():
        ends = tried.values if isinstance(tried, Choices) else (tried.low, tried.high)
        for value in ends:
            raw = int(value) if isinstance(tried, Range) and tried.whole else value
            assert getattr(parse_params(algorithm, {name: raw}), name) == raw


def test_defaults_are_accepted_as_they_are_shown() -> None:
    for algorithm in KNOWN.values():
        defaults = msgspec.to_builtins(algorithm.params())
        assert msgspec.to_builtins(parse_params(algorithm, defaults)) == defaults
