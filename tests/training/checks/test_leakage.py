"""Columns that give the target away are found whatever their shape; others are spared the trees."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from registry.problems import get_problem
from registry.tabular.schema import Column, ColumnType
from training.checks import Material
from training.checks.leakage import target_leakage

ROWS = 3000
Floats = npt.NDArray[np.float64]


def told(values: Any, target: Any, problem: str, kind: ColumnType = ColumnType.numeric) -> bool:
    frame = pd.DataFrame({"clue": values, "other": np.random.default_rng(5).normal(size=len(target))})
    columns = [Column("clue", kind, nullable=True), Column("other", ColumnType.numeric, nullable=True)]
    material = Material(
        frame.assign(target=target), "target", columns, get_problem(problem), np.zeros(len(frame), dtype=bool)
    )
    found = target_leakage(material).columns
    assert "other" not in found
    return found == ("clue",)


NUMBERS: dict[str, Callable[[Floats, np.random.Generator], Any]] = {
    "the number itself": lambda y, _: y,
    "another unit": lambda y, _: -1000 * y + 5,
    "almost the number": lambda y, rng: y + rng.normal(0, 0.01, len(y)),
    "a power of it": lambda y, _: np.exp(3 * y),
    "nothing but rounded": lambda y, _: np.round(y, 1),
}


@pytest.mark.parametrize("clue", NUMBERS)
def test_a_number_that_is_given_away_is_found(clue: str) -> None:
    rng = np.random.default_rng(0)
    target = rng.normal(size=ROWS)
    assert told(NUMBERS[clue](target, rng), target, "regression")


def test_a_code_of_which_each_stands_for_a_number_is_found() -> None:
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 300, ROWS)
    worth = rng.normal(size=300)
    assert told(codes.astype("float64"), worth[codes], "regression")
    assert told(
        pd.Series([f"c{one}" for one in codes], dtype="str"), worth[codes], "regression", ColumnType.category
    )


@pytest.mark.parametrize("noise", [0.3, 1.0, 10.0])
def test_a_number_that_merely_goes_with_the_target_is_not_blamed(noise: float) -> None:
    rng = np.random.default_rng(2)
    target = rng.normal(size=ROWS)
    assert not told(target + rng.normal(0, noise, ROWS), target, "regression")


def test_a_few_huge_numbers_do_not_hide_what_gives_the_others_away() -> None:
    target = np.random.default_rng(3).lognormal(0, 4, ROWS)
    assert told(np.log(target), target, "regression")


LABELS: dict[str, Callable[[npt.NDArray[np.int64], np.random.Generator], Any]] = {
    "the label as a number": lambda y, _: y.astype("float64"),
    "ranges apart": lambda y, rng: y * 10.0 + rng.random(len(y)),
    "a missing value for one label": lambda y, rng: np.where(y == 0, np.nan, rng.normal(size=len(y))),
}


@pytest.mark.parametrize("clue", LABELS)
@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.98, 0.02], [0.4, 0.3, 0.3]], ids=["even", "rare", "three"])
def test_a_label_that_is_given_away_is_found(clue: str, shares: list[float]) -> None:
    if clue.startswith("a missing") and len(shares) > 2:
        shares = [0.6, 0.4]  # one gap tells two labels apart, not three
    rng = np.random.default_rng(4)
    codes = rng.choice(len(shares), ROWS, p=shares)
    assert told(LABELS[clue](codes, rng), np.asarray(["a", "b", "c"], dtype=object)[codes], "classification")


def test_a_category_that_names_the_label_is_found_in_any_spelling() -> None:
    codes = np.random.default_rng(6).integers(0, 12, ROWS)
    wards = pd.Series([f"ward {one}" for one in codes], dtype="str")
    assert told(wards, np.where(codes % 3 == 0, "yes", "no"), "classification", ColumnType.category)


@pytest.mark.parametrize("shift", [0.0, 0.5, 1.5])
def test_a_number_that_merely_differs_between_labels_is_not_blamed(shift: float) -> None:
    rng = np.random.default_rng(7)
    codes = rng.integers(0, 2, ROWS)
    assert not told(rng.normal(shift * codes), np.where(codes == 1, "yes", "no"), "classification")
