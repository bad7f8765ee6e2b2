"""Who answers a batch: the twin only where it answers tables, and the same."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from registry.inference.engines import Engine
from registry.inference.plan import Plan
from registry.inference.twins import open_twin
from registry.tabular.schema import infer_schema
from training.services.batch_engines import LEAST_ROWS, chosen_engine
from training.twins.making import make_twin

CLASSES = ["no", "yes"]


@cache
def table() -> pd.DataFrame:
    """Numbers whose sum decides, as a canonical frame."""
    return pd.DataFrame(np.random.default_rng(0).normal(size=(LEAST_ROWS, 4)), columns=list("abcd"))


def fitted(*, turned: bool = False) -> Any:
    """A pipeline that says yes where the sum is above 0; ``turned`` the other way round."""
    above = (table().sum(axis=1) > 0) != turned
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(table(), np.where(above, "yes", "no"))


def plan(twin_of: Any | None) -> Plan:
    twin = None if twin_of is None else open_twin(make_twin(twin_of, CLASSES))
    return Plan(fitted(), infer_schema(table()), CLASSES, twin)


@pytest.mark.parametrize("rows", [LEAST_ROWS - 1, 1, 0])
def test_few_rows_are_the_originals(rows: int) -> None:
    assert chosen_engine(plan(fitted()), table().head(rows)) is Engine.ORIGINAL


def test_without_a_twin_the_original_answers() -> None:
    assert chosen_engine(plan(None), table()) is Engine.ORIGINAL


def test_a_twin_that_answers_otherwise_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.services.batch_engines.FASTER", 0.0)  # however slow it is here
    assert chosen_engine(plan(fitted(turned=True)), table()) is Engine.ORIGINAL


def test_a_twin_that_agrees_is_chosen_where_it_is_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.services.batch_engines.FASTER", 0.0)
    assert chosen_engine(plan(fitted()), table()) is Engine.ONNX
    monkeypatch.setattr("training.services.batch_engines.FASTER", float("inf"))
    assert chosen_engine(plan(fitted()), table()) is Engine.ORIGINAL
