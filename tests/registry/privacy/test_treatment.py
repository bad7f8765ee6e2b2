import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.privacy.pseudonyms import is_pseudonym, pseudonym
from registry.privacy.treatment import Treater, marks_of, stricter
from registry.tabular.profile import profile_frame
from registry.tabular.schema import Column, ColumnType, Treatment, infer_schema

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
MARKS = {"name": Treatment.pseudonymise, "age": Treatment.pseudonymise, "street": Treatment.drop}
TREAT = Treater(MARKS, KEY)
texts = st.text(max_size=40)


@given(texts, texts)
def test_equal_values_have_equal_pseudonyms_and_others_have_others(one: str, other: str) -> None:
    same = pseudonym(one, KEY) == pseudonym(other, KEY)
    assert same == (pseudonym(one, OTHER_KEY) == pseudonym(other, OTHER_KEY))
    assert pseudonym(one, KEY) == pseudonym(one, KEY)
    assert is_pseudonym(pseudonym(one, KEY))


@given(texts)
def test_tenants_have_different_pseudonyms_for_the_same_value(value: str) -> None:
    assert is_pseudonym(value) or pseudonym(value, KEY) != pseudonym(value, OTHER_KEY)


def test_a_pseudonym_is_the_truncated_hmac_of_the_text() -> None:
    # printf Alice | openssl dgst -sha256 -hmac kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk, first 16 bytes in base32
    assert pseudonym("Alice", KEY) == "psn_vh5htka4mqa7hja5t3xvvvysue"


@pytest.mark.parametrize(
    ("one", "other"), [(1, "1"), (1.0, "1"), (True, "true"), (" Alice ", "Alice"), ("Zoé", "Zoe\u0301")]
)
def test_spellings_of_one_value_share_a_pseudonym(one: object, other: object) -> None:
    assert pseudonym(one, KEY) == pseudonym(other, KEY)


@given(
    st.dictionaries(st.sampled_from(["name", "age", "street", "calls"]), texts | st.integers() | st.none())
)
def test_treating_a_row_twice_is_treating_it_once(row: dict[str, object]) -> None:
    once = TREAT.row(row)
    assert TREAT.row(once) == once
    assert "street" not in once
    assert once.get("calls") == row.get("calls")


def test_missing_stays_missing() -> None:
    assert TREAT.row({"name": None, "street": None, "calls": None}) == {"name": None, "calls": None}
    treated = TREAT.series(pd.Series(["Alice", None, "Alice", "Bo"]))
    assert treated.isna().tolist() == [False, True, False, False]
    assert treated[0] == treated[2] != treated[3]


def test_a_table_keeps_its_joins_and_loses_what_is_dropped() -> None:
    frame = pd.DataFrame({"name": ["Alice", "Bo"], "street": ["Elm 1", "Oak 2"], "calls": [1, 2]})
    treated = TREAT.frame(frame)
    assert list(treated) == ["name", "calls"]
    assert treated["name"].tolist() == [TREAT.row({"name": name})["name"] for name in ("Alice", "Bo")]
    assert frame["name"].tolist() == ["Alice", "Bo"]


def test_a_profile_tells_counts_alone_of_personal_columns() -> None:
    frame = pd.DataFrame(
        {
            "name": ["Alice", "Bo"] * 30,
            "street": ["Elm 1", "Oak 2", "Ash 3"] * 20,
            "age": [41.5, 17.25, 63.125] * 20,
            "calls": [1, 2, 3] * 20,
        }
    )
    columns = infer_schema(frame)
    plain = profile_frame(frame, columns)
    treated = TREAT.profile(plain)
    for secret in ("Alice", "Elm", "41.5", "17.25", "63.125"):
        assert secret in str(plain)
        assert secret not in str(treated)
    assert treated["columns"]["age"] == {"type": "numeric", "missing": 0, "distinct": 3}
    assert treated["columns"]["street"] == {"type": "category", "missing": 0, "distinct": 3}
    assert treated["columns"]["name"]["histogram"]["counts"] == [30, 30]
    assert treated["columns"]["calls"] == plain["columns"]["calls"]
    assert TREAT.profile(treated) == treated


def test_a_schema_carries_the_marks_and_no_personal_category() -> None:
    columns = [
        Column("name", ColumnType.category, nullable=False, categories=("Alice",)),
        Column("plan", ColumnType.category, nullable=False, categories=("pro",)),
    ]
    name, plan = TREAT.columns(columns)
    assert (name.personal, name.categories) == (Treatment.pseudonymise, ())
    assert plan == columns[1]
    assert marks_of([name, plan]) == {"name": Treatment.pseudonymise}


def test_histograms_of_numbers_and_of_dropped_columns_go() -> None:
    histograms = {
        "age": {"edges": [17.25], "counts": [1, 1], "missing": 0},
        "street": {"categories": ["Elm 1"], "counts": [2], "other": 0, "missing": 0},
        "name": {"categories": ["Alice"], "counts": [2], "other": 0, "missing": 0},
        "calls": {"edges": [2.0], "counts": [1, 1], "missing": 0},
    }
    treated = TREAT.histograms(histograms)
    assert set(treated) == {"name", "calls"}
    assert treated["name"] == {**histograms["name"], "categories": [pseudonym("Alice", KEY)]}
    assert TREAT.histograms(treated) == treated


def test_the_stricter_mark_wins() -> None:
    keep, drop = Treatment.pseudonymise, Treatment.drop
    assert stricter({"a": keep, "b": drop}, {"a": drop, "b": keep, "c": keep}) == {
        "a": drop,
        "b": drop,
        "c": keep,
    }


def test_the_key_shows_in_no_representation() -> None:
    assert "kkk" not in repr(TREAT)


@pytest.mark.parametrize(
    ("told_as", "mark", "stays"),
    [
        ("", None, True),
        ("", Treatment.pseudonymise, False),
        ("", Treatment.drop, False),
        ("pseudonymise", None, True),
        ("pseudonymise", Treatment.pseudonymise, True),
        ("pseudonymise", Treatment.drop, False),
        ("drop", Treatment.pseudonymise, True),
        ("drop", Treatment.drop, True),
    ],
)
def test_a_measured_group_stays_where_it_is_told_no_more_openly_than_the_mark_asks(
    told_as: str, mark: Treatment | None, stays: bool
) -> None:
    slices = [{"column": "sex", "value": "one", "personal": told_as}]
    evaluation = {"rows": 90, "slices": slices, "gaps": [{"column": "sex", "personal": told_as}]}
    treated = Treater({} if mark is None else {"sex": mark}, KEY).evaluation(evaluation)
    assert treated["rows"] == 90
    assert [len(treated[part]) for part in ("slices", "gaps")] == [int(stays)] * 2


def test_what_an_earlier_release_measured_of_a_personal_column_goes() -> None:
    old = {"slices": [{"column": "sex", "value": "f"}, {"column": "ward", "value": "w1"}]}
    treated = Treater({"sex": Treatment.pseudonymise}, KEY).evaluation(old)
    assert [one["column"] for one in treated["slices"]] == ["ward"]
