"""The demonstration's data: real, split without overlap, and shifted as it says."""

import pandas as pd
import pytest

from mlplatform.demo.data import DemoData, breast_cancer, diabetes, older, recalibrated, wine

MAKERS = [breast_cancer, wine, diabetes]
ROWS = {"breast-cancer": 569, "wine": 178, "diabetes": 442}


@pytest.fixture(params=MAKERS, ids=lambda maker: maker.__name__)
def data(request: pytest.FixtureRequest) -> DemoData:
    made: DemoData = request.param()
    return made


def test_no_row_plays_two_parts(data: DemoData) -> None:
    parts = [data.training, data.usual, data.later, data.latest]
    assert sum(len(part) for part in parts) == ROWS[data.name]
    assert pd.concat(parts).index.is_unique


def test_the_same_split_every_time(data: DemoData) -> None:
    again = {maker().name: maker() for maker in MAKERS}[data.name]
    pd.testing.assert_frame_equal(data.training, again.training)


def test_inputs_hold_everything_but_the_answer(data: DemoData) -> None:
    rows = data.inputs(data.usual)
    assert len(rows) == len(data.usual)
    assert set(rows[0]) == set(data.training.columns) - {data.target}


def test_file_to_upload_has_a_header_and_every_training_row(data: DemoData) -> None:
    lines = data.csv.decode().splitlines()
    assert lines[0].split(",") == list(data.training.columns)
    assert len(lines) == len(data.training) + 1


def test_new_scanner_changes_measurements_and_no_diagnosis() -> None:
    data = breast_cancer()
    shifted = recalibrated(data, data.later)
    assert (shifted["mean_area"] == data.later["mean_area"] * 2).all()
    assert (shifted["mean_symmetry"] == data.later["mean_symmetry"]).all()
    assert (shifted["diagnosis"] == data.later["diagnosis"]).all()


def test_older_patients_are_older_and_the_original_rows_stay() -> None:
    rows = diabetes().later
    before = rows.copy()
    assert (older(rows)["age"] == before["age"] + 20).all()
    pd.testing.assert_frame_equal(rows, before)
