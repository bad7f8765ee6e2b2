import numpy as np
import pandas as pd
import pytest

from registry.tabular.errors import TooFewRows
from registry.tabular.holdout import holdout_mask


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    ill = rng.integers(0, 2, 1000)
    return pd.DataFrame({"x": rng.normal(size=1000), "ward": rng.choice(["a", "b"], 1000), "ill": ill})


def held(frame: pd.DataFrame, target: str = "ill") -> set[float]:
    return set(frame["x"][holdout_mask(frame, target)])


def test_about_a_fifth_is_held_out(frame: pd.DataFrame) -> None:
    assert 150 < holdout_mask(frame, "ill").sum() < 250
    assert 450 < holdout_mask(frame, "ill", share=0.5).sum() < 550


def test_a_row_keeps_its_side_in_a_shuffled_and_in_a_larger_dataset(frame: pd.DataFrame) -> None:
    assert held(frame.sample(frac=1, random_state=1)) == held(frame)
    more = pd.DataFrame({"x": np.arange(500.0), "ward": "c", "ill": [0, 1] * 250})
    assert held(pd.concat([frame, more])) & set(frame["x"]) == held(frame)


def test_a_row_keeps_its_side_when_columns_are_reordered_or_stored_otherwise(frame: pd.DataFrame) -> None:
    other = frame[["ill", "ward", "x"]].astype({"ill": str, "ward": "category"})
    assert held(other) == held(frame)


def test_duplicates_stay_together(frame: pd.DataFrame) -> None:
    twice = pd.concat([frame, frame], ignore_index=True)
    mask = holdout_mask(twice, "ill")
    assert (mask[:1000] == mask[1000:]).all()


def test_a_tiny_dataset_holds_out_some_rows_of_each_class() -> None:
    frame = pd.DataFrame({"x": np.arange(20.0), "ill": ["yes", "no"] * 10})
    mask = holdout_mask(frame, "ill", share=0.02)
    assert set(frame["ill"][mask]) == {"yes", "no"}
    assert set(frame["ill"][~mask]) == {"yes", "no"}


@pytest.mark.parametrize("seed", range(20))
def test_a_rare_class_is_never_wholly_held_out(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"x": rng.normal(size=102), "ill": ["no"] * 100 + ["yes"] * 2})
    assert "yes" in set(frame["ill"][~holdout_mask(frame, "ill")])


def test_a_measured_target_has_no_classes() -> None:
    frame = pd.DataFrame({"x": np.arange(300.0), "price": np.arange(300)})
    assert 30 < holdout_mask(frame, "price").sum() < 90


def test_dates_and_missing_values_are_hashed() -> None:
    frame = pd.DataFrame({"day": pd.date_range("2026-01-01", periods=50, tz="UTC"), "y": [None, "a"] * 25})
    frame.loc[3, "day"] = pd.NaT
    assert 0 < holdout_mask(frame, "y").sum() < 50


def test_a_dataset_of_one_distinct_row_is_refused() -> None:
    with pytest.raises(TooFewRows):
        holdout_mask(pd.DataFrame({"x": [1.0] * 9, "ill": ["a"] * 9}), "ill")
