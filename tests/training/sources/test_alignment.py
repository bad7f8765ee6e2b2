"""Rows that went through JSON, brought back to a dataset's column types."""

import pandas as pd

from training.sources.feedback import aligned

LIKE = pd.DataFrame(
    {
        "count": [1, 2],
        "size": [0.5, None],
        "kind": pd.Series(["a", None], dtype="str"),
        "flag": pd.array([True, None], dtype="boolean"),
        "day": pd.Series([pd.Timestamp("2024-01-01"), pd.NaT]),
    }
)
SENT = {"count": "3", "size": 1, "kind": "b", "flag": True, "day": "2024-02-03T00:00:00Z"}


def test_types_are_those_of_the_dataset() -> None:
    rows = aligned(pd.DataFrame([SENT]), LIKE)
    joined = pd.concat([LIKE, rows], ignore_index=True)
    assert joined.dtypes.astype(str).to_dict() == LIKE.dtypes.astype(str).to_dict()
    assert joined.iloc[2].to_dict() == {
        "count": 3, "size": 1.0, "kind": "b", "flag": True, "day": pd.Timestamp("2024-02-03"),
    }  # fmt: skip


def test_missing_columns_are_missing_values() -> None:
    rows = aligned(pd.DataFrame([{"count": 3}]), LIKE)
    assert rows.drop(columns="count").isna().all(axis=None)
    assert str(pd.concat([LIKE, rows])["kind"].dtype) == "str"


def test_values_of_another_kind_become_missing() -> None:
    rows = aligned(pd.DataFrame([SENT | {"size": "large", "day": "soon", "flag": "perhaps"}]), LIKE)
    assert rows[["size", "day", "flag"]].isna().all(axis=None)


def test_unknown_columns_are_left_out() -> None:
    assert list(aligned(pd.DataFrame([SENT | {"new": 1}]), LIKE).columns) == list(LIKE.columns)
