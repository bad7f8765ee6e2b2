"""One scikit-learn pipeline from a canonical frame to a model."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from registry.tabular.schema import NUMBER_TYPES, Column, ColumnType
from training.algorithms import Algorithm, Params, Traits
from training.preprocessing.dates import DateParts
from training.preprocessing.errors import NoUsableColumns
from training.preprocessing.numbers import KeepMissing
from training.preprocessing.words import WordWeights

MAX_CATEGORIES = 50
RARE_SHARE = 0.01
MISSING = "missing"


def build_pipeline(
    columns: Sequence[Column], algorithm: Algorithm, params: Params, seed: int, *, problem: str
) -> Pipeline:
    """An unfitted pipeline with the steps ``preprocess`` and ``model``.

    Args:
        columns: the feature columns (without the target); identifiers and ignored columns are dropped.
        params: the algorithm's own parameters, see ``parse_params``.
        seed: makes the fit repeatable.
        problem: key of the problem type.

    Raises:
        NoUsableColumns: nothing is left to learn from.
    """
    preprocess = ColumnTransformer(_transformers(columns, algorithm.traits), sparse_threshold=0)
    return Pipeline([("preprocess", preprocess), ("model", algorithm.build(params, seed, problem))])


def _transformers(columns: Sequence[Column], traits: Traits) -> list[tuple[str, Any, list[str]]]:
    parts = (
        ("numbers", _numbers(traits), [c.name for c in columns if c.type in NUMBER_TYPES]),
        ("categories", _categories(traits), _named(columns, ColumnType.category)),
        ("dates", _scaled(DateParts(), traits), _named(columns, ColumnType.date)),
        ("texts", WordWeights(), _named(columns, ColumnType.text)),
    )
    used = [part for part in parts if part[2]]
    if not used:
        raise NoUsableColumns(
            "No column is left to learn from: all are identifiers, empty or ignored. "
            "Give at least one column another type, or add columns."
        )
    return used


def _named(columns: Sequence[Column], kind: ColumnType) -> list[str]:
    return [column.name for column in columns if column.type is kind]


def _numbers(traits: Traits) -> Any:
    if traits.handles_missing:
        return KeepMissing()
    # An all-missing column is kept (as zeros), so the number of inputs never hangs on the rows of a fold.
    impute = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    return _scaled(impute, traits)


def _scaled(transformer: Any, traits: Traits) -> Any:
    if not traits.scale:
        return transformer
    return Pipeline([("values", transformer), ("scale", StandardScaler())])


def _categories(traits: Traits) -> Pipeline:
    fill = SimpleImputer(
        missing_values=np.nan, strategy="constant", fill_value=MISSING, keep_empty_features=True
    )
    encode = _numbered() if traits.handles_categories else _one_column_each()
    return Pipeline([("fill", fill), ("encode", encode)])


def _numbered() -> OrdinalEncoder:
    return OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=-1,
        min_frequency=RARE_SHARE,
        max_categories=MAX_CATEGORIES,
    )


def _one_column_each() -> OneHotEncoder:
    return OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        min_frequency=RARE_SHARE,
        max_categories=MAX_CATEGORIES,
        sparse_output=False,
    )
