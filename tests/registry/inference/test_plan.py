"""A loaded pipeline with what it needs to answer."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from registry.errors import CannotPredict
from registry.inference.answers import RowAnswer, row_answers
from registry.inference.engines import ENGINE_WORDS, IMPORTED_ENGINE, Engine
from registry.inference.plan import Plan
from registry.problems.base import Predictions
from registry.tabular.schema import Column, ColumnType

FRAME = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0]})
X = [Column("x", ColumnType.numeric, nullable=False)]


def test_labels_come_with_a_probability_for_each_class() -> None:
    fitted = LogisticRegression().fit(FRAME, ["no", "no", "yes", "yes"])
    first = Plan(fitted, X, ["no", "yes"]).answers(FRAME)[0]
    assert (first.label, first.value) == ("no", None)
    assert first.probabilities is not None
    assert list(first.probabilities) == ["no", "yes"]
    assert sum(first.probabilities.values()) == pytest.approx(1)


def test_numbers_come_alone() -> None:
    answers = Plan(Ridge(alpha=0).fit(FRAME, [0.0, 2.0, 4.0, 6.0]), X, None).answers(FRAME)
    assert [answer.label for answer in answers] == [None] * 4
    assert [answer.value for answer in answers] == pytest.approx([0, 2, 4, 6])


def test_rows_are_asked_as_they_were_sent_and_the_engine_is_named() -> None:
    plan = Plan(Ridge(alpha=0).fit(FRAME, [0.0, 2.0, 4.0, 6.0]), X, None)
    rows: list[dict[str, Any]] = [{"x": 2}, {"x": 0.5}]
    asked = plan.ask(rows)
    assert asked.engine == Engine.ORIGINAL
    assert [answer.value for answer in asked.answers] == pytest.approx([4, 1])
    assert rows == [{"x": 2}, {"x": 0.5}]


def test_every_engine_has_words_for_people() -> None:
    assert set(ENGINE_WORDS) == {*Engine, IMPORTED_ENGINE}


def test_a_pipeline_that_was_never_fitted_is_reported() -> None:
    with pytest.raises(CannotPredict, match="not fitted"):
        Plan(Ridge(), X, None).answers(FRAME)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_an_answer_that_is_no_number_is_refused(number: float) -> None:
    with pytest.raises(CannotPredict, match="not finite"):
        list(row_answers(Predictions(values=np.array([1.0, number])), labelled=False))


def test_labels_without_probabilities() -> None:
    answers = list(row_answers(Predictions(values=np.array(["a"]), classes=["a", "b"]), labelled=True))
    assert answers == [RowAnswer("a", None, None)]
