from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace

from registry.problems import get_problem
from registry.tabular.holdout import holdout_mask
from registry.tabular.schema import Column, ColumnType, coerce_frame, infer_schema
from training.checks import CHECKS, Finding, Limits, Material, Verdict, check_data, worst

N = 300


def healthy(rows: int = N) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "dose": rng.normal(size=rows),
            "age": rng.integers(18, 90, rows),
            "ward": pd.Series(rng.choice(["a", "b", "c"], rows), dtype="str"),
            "seen": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.permutation(rows), unit="h"),
        }
    )
    frame["ill"] = np.where(frame["dose"] + rng.normal(size=rows) > 0, "yes", "no")
    return frame


def material(
    frame: pd.DataFrame,
    *,
    types: dict[str, ColumnType] | None = None,
    expected: list[Column] | None = None,
    problem: str = "classification",
    **limits: Any,
) -> Material:
    columns = [
        replace(column, type=(types or {}).get(column.name, column.type))
        for column in infer_schema(frame.drop(columns="ill"))
    ]
    features = coerce_frame(frame.drop(columns="ill"), columns)
    held = holdout_mask(frame, "ill")
    return Material(
        features.assign(ill=frame["ill"]),
        "ill",
        columns,
        get_problem(problem),
        held,
        expected,
        Limits(**limits),
    )


def found(name: str, *args: Any, **kwargs: Any) -> Finding:
    return next(finding for finding in check_data(material(*args, **kwargs)) if finding.check == name)


def test_healthy_data_pass_every_check() -> None:
    findings = check_data(material(healthy()))
    assert [finding.check for finding in findings] == [check.__name__ for check in CHECKS]
    assert [finding for finding in findings if finding.verdict is not Verdict.passed] == []
    assert worst(findings) is Verdict.passed


def repeat_most(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.head(60)], ignore_index=True)


def twins_of_other_rows(frame: pd.DataFrame) -> pd.DataFrame:
    other = frame.assign(ill=np.where(frame["ill"] == "yes", "no", "yes"))
    return pd.concat([frame, other], ignore_index=True)


def empty_targets(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(ill=frame["ill"].where(frame.index % 3 == 0))


def ordered_in_time(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(ill=np.where(frame["seen"].rank() > N / 2, "yes", "no"))


SICK: list[tuple[str, Callable[[pd.DataFrame], pd.DataFrame], str]] = [
    ("enough_rows", lambda f: f.head(60), "Only 60 rows"),
    ("missing_target", empty_targets, "66.7% of the rows"),
    ("balance", lambda f: f.assign(ill=np.where(f.index < 6, "yes", "no")), 'Class "yes" has 2.00%'),
    ("constant_columns", lambda f: f.assign(site="north"), '"site" has the same value'),
    ("duplicate_columns", lambda f: f.assign(again=f["dose"]), '"again" repeat'),
    ("missing_values", lambda f: f.assign(dose=f["dose"].where(f.index % 4 == 0)), '"dose" is mostly'),
    ("repeated_rows", repeat_most, "16.7% of the rows"),
    ("overlap_with_holdout", twins_of_other_rows, "of the held-out rows"),
    ("target_leakage", lambda f: f.assign(bill=(f["ill"] == "yes") * 100.0 + f["age"] / 10), '"bill" alone'),
    ("target_leakage", lambda f: f.assign(code=f["ill"].map({"yes": "x1", "no": "x0"})), '"code" alone'),
    ("time_leakage", ordered_in_time, '"seen", neighbouring rows'),
]


@pytest.mark.parametrize(("name", "spoil", "says"), SICK, ids=[f"{i}-{row[0]}" for i, row in enumerate(SICK)])
def test_what_is_wrong_is_found_with_a_hint(
    name: str, spoil: Callable[[pd.DataFrame], pd.DataFrame], says: str
) -> None:
    finding = found(name, spoil(healthy()))
    assert finding.verdict is Verdict.warning
    assert says in finding.message
    assert finding.hint


def test_a_column_that_numbers_the_rows_is_told() -> None:
    frame = healthy().assign(ticket=np.arange(N) + 5000, name=[f"n{i}" for i in range(N)])
    types = {"ticket": ColumnType.integer, "name": ColumnType.category}
    assert found("identifier_like", frame, types=types).columns == ("ticket", "name")


def test_whole_numbers_that_are_measured_are_no_identifier() -> None:
    rng = np.random.default_rng(0)
    frame = healthy().assign(income=rng.choice(10**7, N, replace=False))
    assert found("identifier_like", frame, types={"income": ColumnType.integer}).verdict is Verdict.passed


def test_many_categories_are_counted() -> None:
    frame = healthy().assign(city=[f"c{i % 80}" for i in range(N)])
    finding = found("many_categories", frame, types={"city": ColumnType.category})
    assert '"city" (80)' in finding.message


@pytest.mark.parametrize("target", ["yes", None])
def test_one_class_or_none_stops_everything(target: str | None) -> None:
    findings = check_data(material(healthy().assign(ill=target)))
    assert [finding.verdict for finding in findings] == [Verdict.impossible]
    assert worst(findings) is Verdict.impossible


def test_other_columns_than_the_latest_version_are_named() -> None:
    expected = [
        Column("dose", ColumnType.category, nullable=False),
        Column("age", ColumnType.integer, nullable=False),
        Column("gone", ColumnType.numeric, nullable=False),
    ]
    finding = found("same_schema", healthy(), expected=expected)
    assert 'gone: "gone"; new: "ward", "seen"; of another type: "dose"' in finding.message


def test_a_regression_is_checked_for_leakage_too() -> None:
    frame = healthy().assign(ill=lambda f: f["dose"] * 10, total=lambda f: f["ill"] * 1.08)
    assert found("target_leakage", frame, problem="regression").columns == ("dose", "total")
    assert found("balance", frame, problem="regression").verdict is Verdict.passed


def test_the_limits_can_be_chosen() -> None:
    assert found("enough_rows", healthy(), min_rows=1000).verdict is Verdict.warning
    assert found("enough_rows", healthy(60), min_rows=50).verdict is Verdict.passed


def test_ignored_columns_are_not_looked_at() -> None:
    frame = healthy().assign(site="north")
    assert found("constant_columns", frame, types={"site": ColumnType.ignored}).verdict is Verdict.passed


def test_the_data_are_left_as_they_were() -> None:
    ready = material(healthy())
    before = ready.frame.copy(deep=True)
    check_data(ready)
    pd.testing.assert_frame_equal(ready.frame, before)


def test_a_large_table_is_checked_in_a_moment() -> None:
    findings = check_data(material(healthy(50_000)))
    assert worst(findings) is Verdict.passed
