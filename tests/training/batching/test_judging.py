"""A batch and a request agree about which rows are wrong, and what the others are."""

import io
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from registry.inference.schema import check_rows, rows_frame
from registry.tabular.schema import Column, ColumnType
from training.batching.cutting import Cut, cuts
from training.batching.judging import judged
from training.batching.layouts import Layout, layout_of
from training.batching.reading import read_runs

COLUMNS = [
    Column("number", ColumnType.numeric, nullable=True),
    Column("whole", ColumnType.integer, nullable=False),
    Column("flag", ColumnType.boolean, nullable=True),
    Column("kind", ColumnType.category, nullable=True, categories=("a", "b", "1")),
    Column("note", ColumnType.text, nullable=False),
    Column("day", ColumnType.date, nullable=True),
    Column("id", ColumnType.identifier, nullable=False),
]
USED = COLUMNS[:-1]
GOOD = {"number": 1.5, "whole": 2, "flag": True, "kind": "a", "note": "fine", "day": "2026-01-31"}
ODD: list[dict[str, Any]] = [
    {},
    {"number": None, "flag": None, "kind": None, "day": None},
    {"number": "x"},
    {"number": True},
    {"number": 2**60},
    {"whole": None},
    {"whole": 1.25},
    {"flag": 1},
    {"flag": "yes"},
    {"kind": "unseen"},
    {"kind": 1},
    {"kind": 7},
    {"kind": "  a "},
    {"note": "  "},
    {"note": None},
    {"note": "x" * 10_001},
    {"note": 5},
    {"day": "yesterday"},
    {"day": "2026-02-30"},
    {"day": "20260131"},
    {"day": "2026-01-31T08:00:00+02:00"},
    {"day": 5},
]


def piece(content: bytes) -> Any:
    file = io.BytesIO(content)
    layout = layout_of(file)
    [cut] = cuts(file, layout, rows=1_000, size=1 << 20)
    [run] = read_runs(file, layout, cut, USED, [])
    return judged(run, COLUMNS)


def test_json_rows_are_judged_as_a_request_judges_them() -> None:
    sent = [{**GOOD, **odd} for odd in ODD]
    found = piece("\n".join(json.dumps(row) for row in sent).encode())
    alone = [check_rows([row], USED) for row in sent]
    assert found.fits.tolist() == [not errors for errors in alone]
    told = [(one["row"], one["field"], one["code"]) for one in found.errors]
    assert told == [
        (place, one["field"], one["code"]) for place, errors in enumerate(alone) for one in errors
    ]
    fitting = [row for row, errors in zip(sent, alone, strict=True) if not errors]
    expected = rows_frame(fitting, USED)
    pd.testing.assert_frame_equal(
        found.frame.loc[found.fits, list(expected)].reset_index(drop=True), expected
    )


def test_a_missing_name_is_told_and_no_object_is_one_row() -> None:
    short = {name: value for name, value in GOOD.items() if name != "number"}
    found = piece(f"{json.dumps(GOOD)}\n[1, 2]\nnonsense\n{json.dumps(short)}\n".encode())
    assert found.fits.tolist() == [True, False, False, False]
    assert [one["code"] for one in found.errors] == ["unreadable", "unreadable", "missing"]


def test_cells_of_a_csv_file_mean_what_they_spell() -> None:
    lines = [
        "number,whole,flag,kind,note,day",
        "1.5,2,true,a,fine,2026-01-31",
        ",2,NO,,fine,",
        "NA,2,1,?,fine,null",
        "1e3, 7 ,false,1,=1,2026-01-31 08:00",
        "inf,2,true,a,fine,",
        "one,2,true,a,fine,",
        "1,,true,a,fine,",
        "1,2,perhaps,a,fine,",
        "1,2,true,a,,",
        "1,2,true,a,fine,31.01.2026",
    ]
    found = piece("\n".join(lines).encode())
    assert found.fits.tolist() == [True] * 4 + [False] * 6
    assert [one["field"] for one in found.errors] == ["number", "number", "whole", "flag", "note", "day"]
    good = found.frame[found.fits]
    assert good["number"].tolist()[0] == 1.5
    assert np.isnan(good["number"].tolist()[1:3]).all()
    assert good["whole"].tolist() == [2.0, 2.0, 2.0, 7.0]
    assert good["flag"].tolist() == [1.0, 0.0, 1.0, 0.0]
    assert good["kind"].isna().tolist() == [False, True, True, False]


@pytest.mark.parametrize("kind", ["float32", "int16", "Int64"])
def test_typed_tables_are_taken_as_they_are(kind: str) -> None:
    frame = pd.DataFrame(
        {
            "number": pd.Series([1, 2], dtype=kind),
            "whole": [3, 4],
            "flag": [True, False],
            "kind": pd.Categorical(["a", "b"]),
            "note": ["x", "y"],
            "day": pd.to_datetime(["2026-01-31", "2026-02-01"]),
            "further": [1, 2],
        }
    )
    found = piece(bytes(frame.to_parquet(index=False)))
    assert found.fits.all()
    assert found.frame["number"].tolist() == [1.0, 2.0]
    assert found.frame["day"].tolist() == frame["day"].tolist()


def test_lines_that_are_cut_out_by_bytes_are_whole() -> None:
    text = "a,b\n" + "".join(f'{number},"line\n{number}"\n' for number in range(500))
    file = io.BytesIO(text.encode())
    layout = layout_of(file)
    pieces: list[Cut] = list(cuts(file, layout, rows=10, size=1_000))
    assert len(pieces) > 5
    column = [Column("a", ColumnType.numeric, nullable=False)]
    numbers = [
        value
        for cut in pieces
        for run in read_runs(file, layout, cut, column, ["b"])
        for value in judged(run, column).frame["a"].tolist()
    ]
    assert numbers == list(range(500))


@pytest.mark.parametrize(
    ("size", "content"),
    [
        # Lines that are longer than a run, and than what is taken for a lone quote in an unknown file.
        (500_000, b"".join(b'%d,"%s"\n' % (number, b"x" * 2_000_000) for number in (1, 2, 3))),
        (10, b"1,x\n2,y\n" + b"\n" * 50 + b"3,z\n"),  # a run of nothing
    ],
)
def test_a_piece_is_read_in_runs_of_whole_lines(
    size: int, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.batching.reading.RUN_BYTES", size)
    layout = Layout("csv", ["a", "b"], ",")
    runs = list(read_runs(io.BytesIO(content), layout, Cut(0, len(content)), [], ["a"]))
    assert [value for run in runs for value in run.table["a"].to_pylist()] == ["1", "2", "3"]
    assert len(runs) > 1
