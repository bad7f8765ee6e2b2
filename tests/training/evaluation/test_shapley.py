"""Shapley values of models whose every effect is known."""

import math
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from registry.inference.shapley import mixed, shapley_values
from registry.tabular.schema import Column, ColumnType
from training.evaluation.effect_figures import effect_figures
from training.evaluation.shapley import whole_effects

RNG = np.random.default_rng(0)
USUAL = pd.DataFrame(RNG.normal(size=(200, 3)), columns=["a", "b", "c"])
COLUMNS = [Column(name, ColumnType.numeric, nullable=False) for name in USUAL.columns]
PATIENT = 1e9


def straight(frame: pd.DataFrame) -> np.ndarray:
    return (2 * frame["a"] - frame["b"]).to_numpy().reshape(-1, 1)


def crossed(frame: pd.DataFrame) -> np.ndarray:
    product = frame["a"] * frame["b"] + frame["c"]
    return np.column_stack([product, -product])


def exact(row: pd.Series, others: pd.DataFrame) -> np.ndarray:
    """The definition, over all orders and all usual rows, of ``crossed``'s first answer."""
    total = np.zeros(3)
    for order in permutations(range(3)):
        mix = others.copy()
        before = crossed(mix)[:, 0]
        for place in order:
            mix.iloc[:, place] = row.iloc[place]
            after = crossed(mix)[:, 0]
            total[place] += float((after - before).mean())
            before = after
    return total / math.factorial(3)


def test_a_straight_models_effects_are_its_terms_against_what_is_usual() -> None:
    found = shapley_values(straight, USUAL.head(20), USUAL, orders=2000, seconds=PATIENT)
    assert found.shape == (20, 3, 1)
    away = USUAL.head(20) - USUAL.mean()
    assert found[:, 0, 0] == pytest.approx(2 * away["a"].to_numpy(), abs=0.3)
    assert found[:, 1, 0] == pytest.approx(-away["b"].to_numpy(), abs=0.3)
    assert found[:, 2, 0] == pytest.approx(0)


def test_values_come_near_the_definition_where_columns_work_together() -> None:
    others = USUAL.head(25)
    found = shapley_values(crossed, USUAL.iloc[50:53], others, orders=3000, seconds=PATIENT)
    for place in range(3):
        assert found[place, :, 0] == pytest.approx(exact(USUAL.iloc[50 + place], others), abs=0.12)
    assert found[:, :, 1] == pytest.approx(-found[:, :, 0])


def test_effects_of_a_row_add_up_to_its_answer_against_the_one_usual_row() -> None:
    found = shapley_values(crossed, USUAL.iloc[1:6], USUAL.head(1), orders=1, seconds=PATIENT)
    assert found.sum(axis=1) == pytest.approx(crossed(USUAL.iloc[1:6]) - crossed(USUAL.head(1)))


def test_the_same_seed_gives_the_same_values_and_the_inputs_stay_as_they_are() -> None:
    before = USUAL.copy()
    first, second = (shapley_values(crossed, USUAL.head(5), USUAL, seconds=PATIENT, seed=3) for _ in range(2))
    assert (first == second).all()
    assert not np.allclose(first, shapley_values(crossed, USUAL.head(5), USUAL, seconds=PATIENT, seed=4))
    pd.testing.assert_frame_equal(USUAL, before)


def test_once_the_time_is_up_no_further_block_is_asked_but_the_least_are() -> None:
    asked = []

    def counted(frame: pd.DataFrame) -> np.ndarray:
        asked.append(len(frame))
        return straight(frame)

    found = shapley_values(counted, USUAL, USUAL, orders=500, seconds=0, least=3)
    assert 3 <= len(found) < 10
    assert len(asked) <= 3


def test_rows_are_mixed_column_by_column_with_their_types() -> None:
    frame = pd.DataFrame({"n": [1.0, 2.0], "c": pd.Categorical(["x", "y"])})
    found = mixed(frame, np.array([[0, 1], [1, 1], [1, 0]]))
    assert found["n"].tolist() == [1.0, 2.0, 2.0]
    assert found["c"].tolist() == ["y", "y", "x"]
    assert found["c"].dtype == frame["c"].dtype


@pytest.fixture(scope="module")
def labelled() -> pd.Series:
    return pd.Series(np.where(2 * USUAL["a"] - USUAL["b"] > 0, "yes", "no"))


def test_a_classifiers_inputs_are_ranked_and_rows_kept_for_the_class_asked_for(labelled: pd.Series) -> None:
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(USUAL, labelled)
    found = whole_effects(pipeline, USUAL, COLUMNS, ["no", "yes"], label="no", seconds=PATIENT)
    assert found is not None
    assert (found.rows, found.label) == (200, "no")
    assert [one.feature for one in found.features] == ["a", "b", "c"]
    assert found.features[0].by_class == {}
    points = found.features[0].points
    assert points is not None
    assert np.corrcoef(points.effects, [float(level or 0) for level in points.levels])[0, 1] < -0.8
    assert min(points.levels) == 0  # type: ignore[type-var]  # of numbers
    assert max(points.levels) == 1  # type: ignore[type-var]  # of numbers
    other = whole_effects(pipeline, USUAL, COLUMNS, ["no", "yes"], seconds=PATIENT)
    assert other is not None
    assert other.label == "yes"
    assert other.features[0].mean == found.features[0].mean


def test_of_several_classes_each_has_its_size(labelled: pd.Series) -> None:
    three = labelled.where(USUAL["c"] < 0.5, "maybe")
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(USUAL, three)
    found = whole_effects(pipeline, USUAL, COLUMNS, ["maybe", "no", "yes"], seconds=PATIENT)
    assert found is not None
    of_c = next(one for one in found.features if one.feature == "c")
    assert set(of_c.by_class) == {"maybe", "no", "yes"}
    assert of_c.by_class["maybe"] == max(of_c.by_class.values())


def test_a_regressions_effects_are_in_the_targets_unit() -> None:
    pipeline = make_pipeline(Ridge(alpha=1e-6)).fit(USUAL, 100 * USUAL["a"])
    found = whole_effects(pipeline, USUAL, COLUMNS, None, seconds=PATIENT)
    assert found is not None
    assert found.label is None
    assert found.features[0].mean == pytest.approx(
        100 * (USUAL["a"] - USUAL["a"].mean()).abs().mean(), rel=0.3
    )


def test_rows_of_columns_that_are_not_to_be_shown_are_not_kept(labelled: pd.Series) -> None:
    pipeline = make_pipeline(LogisticRegression()).fit(USUAL, labelled)
    found = whole_effects(pipeline, USUAL, COLUMNS[1:], ["no", "yes"], seconds=PATIENT)
    assert found is not None
    kept = {one.feature: one.points is not None for one in found.features}
    assert kept == {"a": False, "b": True, "c": True}


@pytest.mark.parametrize(
    ("values", "kind", "levels"),
    [
        ([3.0, None, 1.0, 2.0], ColumnType.numeric, [1.0, None, 0.0, 0.5]),
        ([5.0, 5.0, 5.0, 5.0], ColumnType.numeric, [0.5] * 4),
        (["x", "y", None, "x"], ColumnType.category, [None] * 4),
    ],
)
def test_levels_say_where_a_value_stands(
    values: list[object], kind: ColumnType, levels: list[float | None]
) -> None:
    frame = pd.DataFrame({"v": values, "other": [0.0, 1.0, 0.0, 1.0]})

    class Asked:
        def predict(self, rows: pd.DataFrame) -> np.ndarray:
            return rows["other"].to_numpy()

    found = whole_effects(Asked(), frame, [Column("v", kind, nullable=True)], None, seconds=PATIENT)
    assert found is not None
    points = next(one.points for one in found.features if one.feature == "v")
    assert points is not None
    order = np.random.default_rng(0).permutation(4)
    assert points.levels == [levels[place] for place in order]


def test_without_probabilities_there_is_nothing_to_move(labelled: pd.Series) -> None:
    pipeline = make_pipeline(LinearSVC()).fit(USUAL, labelled)
    assert whole_effects(pipeline, USUAL, COLUMNS, ["no", "yes"]) is None
    assert whole_effects(pipeline, USUAL.head(0), COLUMNS, ["no", "yes"]) is None


def test_the_pictures_name_what_matters_most_and_for_whom(labelled: pd.Series) -> None:
    three = labelled.where(USUAL["c"] < 0.5, "maybe")
    pipeline = make_pipeline(LogisticRegression()).fit(USUAL, three)
    found = whole_effects(pipeline, USUAL, COLUMNS, ["maybe", "no", "yes"], seconds=PATIENT)
    assert found is not None
    means, rows = effect_figures(found, "answer")
    assert means.words.startswith(f"{found.features[0].feature} moves the probability the most")
    assert "Of the classes it matters most for" in means.words
    assert "the probability of yes" in rows.title
    assert rows.picture.count("<circle") == 3 * found.rows + 6


def test_without_rows_to_show_there_is_the_one_picture() -> None:
    pipeline = make_pipeline(Ridge()).fit(USUAL, USUAL["a"])
    found = whole_effects(pipeline, USUAL, [], None, seconds=PATIENT)
    assert found is not None
    [figure] = effect_figures(found, "price")
    assert "moves price the most" in figure.words
