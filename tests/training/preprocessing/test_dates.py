import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from training.preprocessing.dates import PARTS, DateParts


def dates(*texts: str | None) -> pd.DataFrame:
    return pd.DataFrame({"seen": pd.to_datetime(pd.Series(texts)).astype("datetime64[us]")})


def parts(frame: pd.DataFrame, fitted_on: pd.DataFrame) -> dict[str, float]:
    row = DateParts().fit(fitted_on).transform(frame)[0]
    return dict(zip(PARTS, row.tolist(), strict=True))


def test_a_date_becomes_its_parts() -> None:
    found = parts(dates("2026-04-06T06:00:00"), dates("2026-04-01T06:00:00"))
    assert found["year"] == 2026
    assert (found["month_sin"], found["month_cos"]) == pytest.approx((1, 0))  # April: a quarter of the year
    assert (found["weekday_sin"], found["weekday_cos"]) == pytest.approx((0, 1))  # a Monday
    assert (found["hour_sin"], found["hour_cos"]) == pytest.approx((1, 0))
    assert found["days_since_first"] == 5


def test_december_is_next_to_january() -> None:
    columns = DateParts().fit_transform(dates("2025-12-15", "2026-01-15", "2026-06-15"))[:, 1:3]
    assert np.linalg.norm(columns[0] - columns[1]) < np.linalg.norm(columns[0] - columns[2])


def test_a_missing_date_counts_as_the_median_date() -> None:
    known = dates("2026-01-01", "2026-01-05", "2026-01-20")
    assert parts(dates(None), known) == parts(dates("2026-01-05"), known)


def test_a_column_without_a_date_gives_zeros() -> None:
    assert set(parts(dates("2026-01-01"), dates(None, None)).values()) == {0.0}


def test_it_names_its_parts_and_can_be_cloned() -> None:
    fitted = clone(DateParts()).fit(dates("2026-01-01"))
    assert fitted.get_feature_names_out().tolist() == [f"seen_{part}" for part in PARTS]


@pytest.mark.parametrize("extreme", ["0001-01-01", "9999-12-31T23:59:59"])
def test_it_bears_the_ends_of_the_calendar(extreme: str) -> None:
    assert np.isfinite(list(parts(dates(extreme), dates("2026-01-01")).values())).all()
