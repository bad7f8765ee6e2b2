"""Explanations of models whose every effect is known."""

import sys

import numpy as np
import pandas as pd
import pytest

from registry.inference.explaining import explain_row, mean_effects, shap_fits

METHODS = [
    "surrogate",
    pytest.param("shap", marks=pytest.mark.skipif(not shap_fits(3), reason="needs the extra explain (shap)")),
]
RNG = np.random.default_rng(0)
USUAL = pd.DataFrame(
    {"age": RNG.normal(50, 10, 200), "ward": RNG.choice(["a", "b"], 200), "noise": RNG.normal(size=200)}
)
ROW = pd.DataFrame({"age": [70.0], "ward": ["a"], "noise": [3.0]})


def straight(frame: pd.DataFrame) -> np.ndarray:
    answers: np.ndarray = (0.02 * frame["age"] + np.where(frame["ward"] == "a", 1.0, 0.0)).to_numpy()
    return answers


@pytest.mark.parametrize("method", METHODS)
def test_effects_of_a_straight_model_are_its_terms(method: str) -> None:
    found = explain_row(straight, ROW, USUAL, method=method)
    effects = {one.feature: one.effect for one in found.contributions}
    assert found.method == method
    assert found.answer == pytest.approx(2.4)
    assert effects["age"] == pytest.approx(0.4, abs=0.16)
    assert effects["ward"] == pytest.approx(0.5, abs=0.16)
    assert effects["noise"] == pytest.approx(0.0, abs=0.05)
    assert found.base + sum(effects.values()) == pytest.approx(found.answer, abs=0.01)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_seed_explains_in_the_same_way(method: str) -> None:
    assert explain_row(straight, ROW, USUAL, method=method) == explain_row(
        straight, ROW, USUAL, method=method
    )


@pytest.mark.skipif(not shap_fits(3), reason="needs the extra explain (shap)")
def test_nothing_is_compiled_for_the_first_explanation_of_a_process() -> None:
    """Compiling took seven seconds, once in each process of the server and in each one that trains."""
    explain_row(straight, ROW, USUAL, method="shap")
    assert sys.modules["numba"].config.DISABLE_JIT == 1


def test_a_surrogate_says_how_well_it_follows() -> None:
    bent = explain_row(lambda frame: np.cos(straight(frame) * 9), ROW, USUAL, method="surrogate")
    assert (explain_row(straight, ROW, USUAL, method="surrogate").fidelity or 0) > 0.9
    assert (bent.fidelity or 0) < 0.9


def test_on_the_whole_the_largest_effect_comes_first() -> None:
    found = mean_effects(straight, USUAL.head(50), USUAL, seconds=1e9)
    assert found.rows == 50
    assert [one.feature for one in found.contributions] == ["ward", "age", "noise"]
    assert all(one.effect >= 0 for one in found.contributions)
