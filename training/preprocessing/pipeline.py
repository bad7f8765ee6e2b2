"""One scikit-learn pipeline from a canonical frame to a model."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, RobustScaler, StandardScaler, TargetEncoder

from registry.tabular.schema import NUMBER_TYPES, Column, ColumnType
from training.algorithms import Algorithm, Params, Traits
from training.algorithms.base import CLASSIFICATION
from training.preprocessing.balance import Balanced
from training.preprocessing.dates import DateParts
from training.preprocessing.errors import NoUsableColumns
from training.preprocessing.numbers import KeepMissing, Quantiles, median
from training.preprocessing.options import Preprocessing
from training.preprocessing.selecting import selector
from training.preprocessing.targets import BentTarget
from training.preprocessing.words import WordWeights

MISSING = "missing"
DEFAULT = Preprocessing()
CROSS_FITS = 5
SETS = "sets"
MOST_IN_SETS = 250  # scikit-learn's histograms take 255 bins

Part = tuple[str, Any, list[str]]


def build_pipeline(
    columns: Sequence[Column],
    algorithm: Algorithm,
    params: Params,
    seed: int,
    *,
    problem: str,
    options: Preprocessing = DEFAULT,
) -> Pipeline:
    """An unfitted pipeline with the steps ``preprocess``, ``select`` where asked for, and ``model``.

    Args:
        columns: the feature columns (without the target); identifiers and ignored columns are dropped.
        params: the algorithm's own parameters, see ``parse_params``.
        seed: makes the fit repeatable.
        problem: key of the problem type.
        options: how the inputs are prepared.

    Raises:
        NoUsableColumns: nothing is left to learn from.
    """
    traits = algorithm.traits
    preprocess = ColumnTransformer(_Parts(traits, options, seed, problem).of(columns), sparse_threshold=0)
    model: Any = algorithm.build(params, seed, problem)
    categories = len(_named(columns, ColumnType.category))
    if categories and encoding(options, traits) == SETS:  # they are the first inputs
        model.set_params(**{traits.category_sets: list(range(categories))})
    if options.balance != "none":
        model = Balanced(model, options.balance, seed)
    if options.reshape_target != "none":
        model = BentTarget(model)
    steps = [("preprocess", preprocess), ("model", model)]
    if options.select != "none":
        steps.insert(1, ("select", selector(options.select, options.keep, seed, problem)))
    return Pipeline(steps)


def scaling(options: Preprocessing, traits: Traits) -> str:
    """How numbers are scaled: none, standard, robust or quantile."""
    if options.scale != "auto":
        return options.scale
    return "standard" if traits.scale else "none"


def encoding(options: Preprocessing, traits: Traits) -> str:
    """How categories become numbers: one_hot, ordinal, target, or sets, numbers that the algorithm splits."""
    if options.encode != "auto":
        return options.encode
    if traits.category_sets and options.select == "none":  # a selection would move their places
        return SETS
    return "ordinal" if traits.handles_categories else "one_hot"


def keeps_missing(options: Preprocessing, traits: Traits) -> bool:
    """Whether missing numbers reach the algorithm as they are."""
    # The tests of k_best take no missing numbers.
    return options.impute == "auto" and traits.handles_missing and options.select != "k_best"


class _Parts:
    """The transformers of the columns, by their type."""

    def __init__(self, traits: Traits, options: Preprocessing, seed: int, problem: str) -> None:
        self.traits, self.options, self.seed, self.problem = traits, options, seed, problem
        self.scale = scaling(options, traits)

    def of(self, columns: Sequence[Column]) -> list[Part]:
        """The parts that have columns; raises NoUsableColumns where none has."""
        numbers = [column.name for column in columns if column.type in NUMBER_TYPES]
        categories = ("categories", self._categories(), _named(columns, ColumnType.category))
        sets = encoding(self.options, self.traits) == SETS
        parts = (
            *([categories] if sets else []),
            *self._numbers(numbers),
            *([] if sets else [categories]),
            ("dates", self._scaled(DateParts()), _named(columns, ColumnType.date)),
            ("texts", WordWeights(), _named(columns, ColumnType.text)),
        )
        used = [part for part in parts if part[2]]
        if not used:
            raise NoUsableColumns(
                "No column is left to learn from: all are identifiers, empty or ignored. "
                "Give at least one column another type, or add columns."
            )
        return used

    def _numbers(self, names: list[str]) -> list[Part]:
        if keeps_missing(self.options, self.traits):
            return [("numbers", self._scaled(KeepMissing()), names)]
        # An all-missing column is kept (as zeros), so the number of inputs never hangs on the rows of a fold.
        chosen = "median" if self.options.impute == "auto" else self.options.impute
        # scikit-learn's own median sorts every column whole, which takes longer than some fits.
        strategy: Any = median if chosen == "median" else chosen
        apart = self.options.indicators and self.scale == "quantile"
        impute = SimpleImputer(
            strategy=strategy, add_indicator=self.options.indicators and not apart, keep_empty_features=True
        )
        parts: list[Part] = [("numbers", self._scaled(impute), names)]
        if apart:  # a 0/1 mark has no distribution to be brought to a bell curve
            parts.append(("missing", MissingIndicator(error_on_new=False), names))
        return parts

    def _scaled(self, transformer: Any) -> Any:
        scalers = {"standard": StandardScaler, "robust": RobustScaler, "quantile": Quantiles}
        if self.scale == "none":
            return transformer
        return Pipeline([("values", transformer), ("scale", scalers[self.scale]())])

    def _categories(self) -> Pipeline:
        fill = SimpleImputer(
            missing_values=np.nan, strategy="constant", fill_value=MISSING, keep_empty_features=True
        )
        chosen = encoding(self.options, self.traits)
        steps = [("fill", fill), ("encode", self._encoder(chosen))]
        if chosen != "one_hot" and self.scale != "none":
            steps.append(("scale", StandardScaler()))
        return Pipeline(steps)

    def _stated(self, name: str) -> Any:
        """The option where it was chosen, None where it is the default."""
        value = getattr(self.options, name)
        return None if value == getattr(DEFAULT, name) else value

    def _encoder(self, chosen: str) -> Any:
        if chosen == "target":
            kind = "auto" if self.problem == CLASSIFICATION else "continuous"
            # Each row's code comes from the other folds' rows, or the model would read its own target.
            folds = KFold(CROSS_FITS, shuffle=True, random_state=self.seed)
            return TargetEncoder(target_type=kind, cv=folds)
        rare = {
            "min_frequency": self.options.rare_share or None,
            "max_categories": self.options.max_categories,
        }
        if chosen == SETS:  # a set takes rare ones as well as others, so only what is asked for is grouped
            rare = {
                "min_frequency": self._stated("rare_share") or None,
                "max_categories": min(self._stated("max_categories") or MOST_IN_SETS, MOST_IN_SETS),
            }
        if chosen in {"ordinal", SETS}:
            return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, **rare)
        return OneHotEncoder(handle_unknown="infrequent_if_exist", sparse_output=False, **rare)


def _named(columns: Sequence[Column], kind: ColumnType) -> list[str]:
    return [column.name for column in columns if column.type is kind]
