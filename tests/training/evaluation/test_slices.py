import numpy as np
import pandas as pd
import pytest

from registry.privacy.pseudonyms import pseudonym
from registry.privacy.treatment import Treater
from registry.problems import Predictions, get_problem
from registry.tabular.groups import MISSING, groups_of
from registry.tabular.schema import Column, ColumnType, Treatment
from training.evaluation.slices import fairness_gaps, score_slices

PROBLEM = get_problem("classification")
WARD = pd.Series(["a"] * 40 + ["b"] * 40 + [None] * 25 + ["rare"] * 5)
KEY = b"k" * 32
TRUTH = np.array(["ill", "well"] * 55, dtype=object)


def answers(right_in_a: int) -> Predictions:
    values = np.array(["well"] * 110, dtype=object)
    values[:right_in_a] = TRUTH[:right_in_a]
    return Predictions(values)


def test_each_value_with_enough_rows_is_scored() -> None:
    columns = [
        Column("ward", ColumnType.category, nullable=True),
        Column("age", ColumnType.integer, nullable=False),
    ]
    frame = pd.DataFrame({"ward": WARD.to_numpy(), "age": range(110)}, index=range(1000, 1110))
    found = {one.value: one for one in score_slices(frame, columns, TRUTH, answers(40), PROBLEM)}
    assert set(found) == {"a", "b", MISSING, "0 to 27.25", "27.25 to 54.5", "54.5 to 81.75", "81.75 to 109"}
    assert (found["a"].rows, found["a"].scores["accuracy"]) == (40, 1.0)
    assert found["b"].scores["accuracy"] == 0.5
    assert {one.value for one in found.values() if one.column == "ward"} == {"a", "b", MISSING}


def test_quarters_of_a_number_cover_every_row_once_and_carry_intervals() -> None:
    frame = pd.DataFrame({"age": [*range(105), *[None] * 5]}, dtype="float64")
    columns = [Column("age", ColumnType.integer, nullable=True)]
    found = score_slices(frame, columns, TRUTH, answers(40), PROBLEM)
    assert [one.rows for one in found] == [26, 26, 26, 27]
    for one in found:
        assert one.low is not None
        assert one.high is not None
        assert one.low <= one.scores["f1"] <= one.high


def test_groups_are_ordered_by_size() -> None:
    assert [len(rows) for rows in groups_of(WARD).values()] == [40, 40, 25]


def test_gaps_by_hand() -> None:
    """In a all answers are right; in b and the rest everybody is called well."""
    gaps = {gap.measure: gap for gap in fairness_gaps("ward", WARD, TRUTH, answers(40), PROBLEM, "ill")}
    assert gaps["selection_rate"].difference == pytest.approx(0.5)
    assert gaps["selection_rate"].ratio == 0
    assert (gaps["true_positive_rate"].highest, gaps["true_positive_rate"].difference) == ("a", 1.0)
    assert gaps["false_positive_rate"].difference == 0
    assert gaps["false_positive_rate"].ratio is None
    assert gaps["f1"].highest == "a"


def test_without_a_favourable_answer_only_the_metric_is_compared() -> None:
    gaps = fairness_gaps("ward", WARD, TRUTH, answers(40), PROBLEM)
    assert [gap.measure for gap in gaps] == ["f1"]


def test_a_single_group_has_no_gap() -> None:
    assert fairness_gaps("ward", pd.Series(["a"] * 110), TRUTH, answers(40), PROBLEM, "ill") == []


def told_as(treatment: Treatment) -> Treater:
    return Treater({"ward": treatment, "age": treatment}, KEY)


@pytest.mark.parametrize(
    ("treatment", "names"),
    [
        (Treatment.pseudonymise, [pseudonym("a", KEY), pseudonym("b", KEY), MISSING]),
        (Treatment.drop, ["group 1", "group 2", "group 3"]),
    ],
)
def test_groups_of_a_personal_category_are_named_as_its_mark_asks(
    treatment: Treatment, names: list[str]
) -> None:
    columns = [Column("ward", ColumnType.category, nullable=True)]
    frame = WARD.to_frame("ward")
    plain = score_slices(frame, columns, TRUTH, answers(40), PROBLEM)
    found = score_slices(frame, columns, TRUTH, answers(40), PROBLEM, told_as(treatment))
    assert [one.value for one in found] == names
    assert {one.personal for one in found} == {treatment}
    assert {one.personal for one in plain} == {""}
    assert [(one.rows, one.scores) for one in found] == [(one.rows, one.scores) for one in plain]


@pytest.mark.parametrize("treatment", list(Treatment))
@pytest.mark.parametrize("ages", [range(110), [30, 40] * 55], ids=["quarters", "few numbers"])
def test_groups_of_a_personal_number_are_numbered_since_ranges_would_tell_values(
    treatment: Treatment, ages: list[int]
) -> None:
    columns = [Column("age", ColumnType.integer, nullable=False)]
    frame = pd.DataFrame({"age": ages})
    found = score_slices(frame, columns, TRUTH, answers(40), PROBLEM, told_as(treatment))
    assert [one.value for one in found] == [f"group {place}" for place in range(1, len(found) + 1)]
    assert len(found) >= 2


@pytest.mark.parametrize("treatment", list(Treatment))
def test_gaps_between_groups_of_a_personal_column_name_no_value(treatment: Treatment) -> None:
    gaps = fairness_gaps(
        "ward", WARD, TRUTH, answers(40), PROBLEM, "ill", ColumnType.category, told_as(treatment)
    )
    plain = fairness_gaps("ward", WARD, TRUTH, answers(40), PROBLEM, "ill")
    assert [(one.measure, one.difference, one.ratio) for one in gaps] == [
        (one.measure, one.difference, one.ratio) for one in plain
    ]
    assert {one.personal for one in gaps} == {treatment}
    assert not {"a", "b"} & {name for one in gaps for name in (one.highest, one.lowest)}
    first = pseudonym("a", KEY) if treatment is Treatment.pseudonymise else "group 1"
    assert next(one for one in gaps if one.measure == "selection_rate").highest == first


@pytest.mark.parametrize("treatment", list(Treatment))
def test_a_group_of_19_is_never_told_and_one_of_20_is(treatment: Treatment) -> None:
    columns = [Column("ward", ColumnType.category, nullable=False)]
    frame = pd.DataFrame({"ward": ["a"] * 71 + ["b"] * 20 + ["c"] * 19})
    found = score_slices(frame, columns, TRUTH, answers(40), PROBLEM, told_as(treatment))
    assert [one.rows for one in found] == [71, 20]
