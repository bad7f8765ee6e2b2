from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.privacy.anonymity import Identifiability, anonymise, group_numbers, identifiability
from registry.privacy.generalisation import OTHER, TOP, ladder_of
from registry.tabular.schema import Column, ColumnType, Treatment

AGE = Column("age", ColumnType.integer, nullable=True)
TOWN = Column("town", ColumnType.category, nullable=True)
BORN = Column("born", ColumnType.date, nullable=True)

# Sweeney's example of 2002, shortened: race, year of birth, sex, ZIP, and the illness.
PATIENTS = pd.DataFrame(
    [
        ("black", 1965, "m", "0214", "breath"), ("black", 1965, "m", "0214", "chest"),
        ("black", 1965, "f", "0213", "eye"), ("black", 1965, "f", "0213", "wheeze"),
        ("black", 1964, "f", "0213", "obesity"), ("black", 1964, "f", "0213", "chest"),
        ("white", 1964, "m", "0213", "breath"), ("white", 1964, "m", "0213", "breath"),
        ("white", 1964, "m", "0213", "obesity"), ("white", 1967, "m", "0213", "chest"),
        ("white", 1967, "m", "0213", "back"),
    ],
    columns=["race", "born", "sex", "zip", "illness"],
)  # fmt: skip


def test_the_published_example_is_2_anonymous() -> None:
    found = identifiability(PATIENTS, ["race", "born", "sex", "zip"], "illness")
    assert found == Identifiability(rows=11, groups=5, k=2, unique_rows=0, l_diversity=2)


@pytest.mark.parametrize(
    ("quasi", "k", "groups", "unique"),
    [([], 11, 1, 0), (["sex"], 4, 2, 0), (["race", "illness"], 1, 9, 7), (["zip"], 2, 2, 0)],
)
def test_figures_counted_by_hand(quasi: list[str], k: int, groups: int, unique: int) -> None:
    found = identifiability(PATIENTS, quasi)
    assert (found.k, found.groups, found.unique_rows, found.l_diversity) == (k, groups, unique, None)


def test_missing_is_a_value_of_its_own() -> None:
    frame = pd.DataFrame({"town": ["a", None, None, "a"], "ill": ["x", None, "y", "x"]})
    found = identifiability(frame, ["town"], "ill")
    assert (found.k, found.groups, found.l_diversity) == (2, 2, 1)


def test_an_empty_table_identifies_nobody() -> None:
    found = identifiability(PATIENTS.head(0), ["race"], "illness")
    assert (found.rows, found.k, found.groups, found.unique_share, found.l_diversity) == (0, 0, 0, 0, None)


values = {
    "age": st.none() | st.integers(0, 99),
    "town": st.none() | st.sampled_from(["Ulm", "Bonn", "Köln", "Jena", "Trier", " "]),
    "born": st.none() | st.dates(min_value=pd.Timestamp("1920-01-01").date()).map(str),
}
tables = st.lists(st.fixed_dictionaries(values), min_size=1, max_size=60).map(
    lambda rows: pd.DataFrame(rows, columns=list(values))
)


@settings(max_examples=60, deadline=None)
@given(tables, st.integers(1, 8))
def test_every_group_that_is_let_out_has_at_least_k_rows(frame: pd.DataFrame, k: int) -> None:
    done = anonymise(frame, [AGE, TOWN, BORN], k=k)
    sizes = done.frame.groupby(list(values), dropna=False).size()
    assert (sizes >= k).all()
    assert len(done.frame) + done.suppressed == len(frame)
    assert done.achieved.rows == len(done.frame)
    assert done.achieved.k >= k or done.frame.empty
    assert 0 <= done.loss <= 1


@settings(max_examples=40, deadline=None)
@given(tables)
def test_a_row_stays_in_the_group_of_its_equals(frame: pd.DataFrame) -> None:
    done = anonymise(frame.assign(mark=range(len(frame))), [AGE, TOWN, BORN], k=2)
    before = group_numbers(frame, list(values))
    after = group_numbers(done.frame, list(values))
    by_old: dict[int, set[int]] = {}
    for mark, group in zip(done.frame["mark"], after, strict=True):
        by_old.setdefault(int(before[mark]), set()).add(int(group))
    assert all(len(groups) == 1 for groups in by_old.values())


def test_a_table_that_is_anonymous_enough_is_left_as_it_is() -> None:
    frame = pd.DataFrame({"age": [40, 41] * 5, "town": ["Ulm"] * 10, "pay": range(10)})
    done = anonymise(frame, [AGE, TOWN], k=5)
    pd.testing.assert_frame_equal(done.frame, frame)
    assert (done.suppressed, done.levels, done.loss) == (0, {"age": 0, "town": 0}, 0)


def test_personal_numbers_and_dates_are_never_shown_as_they_are() -> None:
    frame = pd.DataFrame({"age": [40, 41] * 5, "born": ["1980-05-17", "1981-02-03"] * 5})
    personal = [
        Column("age", ColumnType.integer, nullable=False, personal=Treatment.pseudonymise),
        Column("born", ColumnType.date, nullable=False, personal=Treatment.pseudonymise),
    ]
    done = anonymise(frame, personal, k=5)
    assert set(done.frame["born"]) == {"1980-05", "1981-02"}
    assert set(done.frame["age"]) == {"up to 40", "over 40"}


def test_too_few_rows_for_any_group_let_nothing_out() -> None:
    done = anonymise(PATIENTS.head(3), [Column("race", ColumnType.category, nullable=False)], k=5)
    assert (len(done.frame), done.suppressed, done.achieved.k) == (0, 3, 0)
    assert done.levels == {"race": 6}


def test_a_few_outliers_are_suppressed_rather_than_all_generalised() -> None:
    frame = pd.DataFrame({"town": ["Ulm"] * 50 + ["Bonn"] * 48 + ["Jena", "Trier"]})
    done = anonymise(frame, [TOWN], k=5)
    assert (done.suppressed, done.levels, set(done.frame["town"])) == (2, {"town": 0}, {"Ulm", "Bonn"})


def climbed(values: Any, kind: ColumnType, level: int) -> list[Any]:
    ladder = ladder_of(pd.Series(values), kind)
    ladder.climb_to(level)
    return ladder.values.astype(object).where(ladder.values.notna(), None).tolist()


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (1, ["1980-05-17", "1999-12-31", None]),
        (2, ["1980-05", "1999-12", None]),
        (3, ["1980-Q2", "1999-Q4", None]),
        (4, ["1980", "1999", None]),
        (5, ["1980s", "1990s", None]),
        (6, [TOP, TOP, TOP]),
    ],
)
def test_dates_climb_from_days_to_decades(level: int, expected: list[Any]) -> None:
    assert climbed(["1980-05-17T08:30:00", "1999-12-31", None], ColumnType.date, level) == expected


def test_numbers_become_ranges_between_round_numbers() -> None:
    pay = np.arange(20_137.0, 60_137.0, 40.0)
    assert sorted(set(climbed(pay, ColumnType.numeric, 3))) == [
        "over 28100 to 36100", "over 36100 to 44100", "over 44100 to 52100", "over 52100", "up to 28100",
    ]  # fmt: skip
    assert sorted(set(climbed(pay, ColumnType.numeric, 4))) == ["over 40100", "up to 40100"]
    assert climbed([7.0, 7.0], ColumnType.numeric, 1) == [TOP, TOP]
    assert climbed([1.0, None, 3.0], ColumnType.numeric, 4)[1] is None


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30), st.integers(1, 4))
def test_ranges_hold_any_number(numbers: list[float], level: int) -> None:
    assert len(climbed(numbers, ColumnType.numeric, level)) == len(numbers)


def test_rare_categories_are_grouped() -> None:
    towns = ["Ulm"] * 5 + ["Bonn"] * 4 + ["Jena", "Trier"]
    assert set(climbed(towns, ColumnType.category, 5)) == {"Ulm", "Bonn", OTHER}
