"""The benchmark of the automatic search: its verdict, and how it goes on where it was left."""

from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from benchmarks.automl import (
    BOOSTING,
    FLAML,
    OURS,
    Line,
    as_array,
    keep,
    kept_lines,
    paired_error,
    score,
    verdict,
)

CONTESTANTS = [OURS, BOOSTING, FLAML]
SETTINGS = {"seconds": 60, "seed": 0}


def line(table: str, ours: float, boosting: float, flaml: float, error: float = 0.01) -> Line:
    scores = {OURS: ours, BOOSTING: boosting, FLAML: flaml}
    return Line(table, "binary", 100, scores, dict.fromkeys(scores, 9.0), {}, boosting - ours, error)


def told(lines: list[Line], contestants: list[str] = CONTESTANTS) -> tuple[bool, str]:
    text = StringIO()
    held = verdict(lines, contestants, Console(file=text, width=170))
    return held, text.getvalue()


def test_the_bar_is_held_by_a_better_mean_rank_without_a_loss_to_boosting() -> None:
    held, text = told([line("iris", 0.9, 0.8, 0.7), line("wine", 0.8, 0.85, 0.7, error=0.1)])
    assert held
    assert "ours 1.50" in text
    assert "FLAML 3.00" in text
    assert "nowhere" in text


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([line("iris", 0.9, 0.95, 0.7)], "standard error: iris"),
        ([line("iris", 0.7, 0.6, 0.9), line("wine", 0.7, 0.6, 0.9)], "mean rank: NO"),
        ([line("iris", 0.9, 0.8, 0.9)], "mean rank: NO"),
    ],
)
def test_the_bar_is_missed(lines: list[Line], words: str) -> None:
    held, text = told(lines)
    assert not held
    assert words in text


def test_who_fails_comes_last_and_has_lost() -> None:
    failed = line("iris", 0.9, 0.8, 0.7)
    del failed.scores[OURS]
    held, text = told([failed])
    assert not held
    assert "failed" in text
    assert "ours 3.00" in text


def test_without_flaml_nothing_is_claimed() -> None:
    held, text = told([line("iris", 0.9, 0.8, 0.7)], [OURS, BOOSTING])
    assert not held
    assert "nothing is said" in text


def test_finished_lines_are_read_again_for_the_same_settings_only(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    assert kept_lines(path, SETTINGS) == kept_lines(None, SETTINGS) == []
    keep(path, line("iris", 0.9, 0.8, 0.7), SETTINGS)
    keep(path, line("wine", 0.8, 0.8, 0.7), SETTINGS)
    keep(None, line("none", 0.8, 0.8, 0.7), SETTINGS)
    assert [one.table for one in kept_lines(path, SETTINGS)] == ["iris", "wine"]
    assert kept_lines(path, SETTINGS)[0] == line("iris", 0.9, 0.8, 0.7)
    with pytest.raises(SystemExit, match="another budget or seed"):
        kept_lines(path, {"seconds": 10, "seed": 0})


def test_scores_are_higher_where_answers_are_better() -> None:
    truth = np.array(["a", "b", "a", "b"], dtype=object)
    good = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]])
    for kind, classes in (("binary", ["a", "b"]), ("multiclass", ["a", "b"])):
        assert score(kind, truth, good, classes) > score(kind, truth, 1 - good, classes)
    assert score("regression", np.arange(4.0), np.arange(4.0), []) == 1
    assert np.isnan(score("binary", truth[[0, 2]], good[[0, 2]], ["a", "b"]))


def test_a_difference_of_equals_has_no_error() -> None:
    truth, rng = np.arange(50.0), np.random.default_rng(0)
    near, far = truth + rng.normal(size=50), truth + 5 * rng.normal(size=50)
    assert paired_error("regression", truth, near, near, []) == 0
    assert paired_error("regression", truth, near, far, []) > 0


def test_classes_that_a_contestant_does_not_know_get_nothing() -> None:
    found = as_array("multiclass", pd.DataFrame({"b": [0.5], "a": [0.5]}), ["a", "b", "c"])
    assert found.tolist() == [[0.5, 0.5, 0.0]]
