"""The fitted preparation of a pipeline as parts of a recipe."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, RobustScaler, StandardScaler, TargetEncoder

from registry.inference.recipe import Affine, Bell, Dates, Lookup, Marks, Numbers, Part, Piece, Scale, Words
from training.preprocessing.dates import DateParts
from training.preprocessing.numbers import KeepMissing, Quantiles
from training.preprocessing.words import WordWeights
from training.twins.errors import NoTwin

UNHEARD = "\x00"  # no category: a NUL is refused in every row
MOST_TABLE_NUMBERS = 2_000_000
Names = list[str]


def parts_of(prepared: ColumnTransformer) -> list[Part]:
    """The parts in the order of their columns; raises NoTwin for a step of a kind that is not known."""
    return [
        _part(transformer, list(names))
        for _, transformer, names in prepared.transformers_
        if not isinstance(transformer, str)  # "drop": the columns that nothing asks for
    ]


def kept_columns(selector: Any) -> list[int]:
    """The places of the inputs that a fitted selection keeps."""
    if isinstance(selector, Pipeline):
        places: Any = None
        for _, step in selector.steps:
            chosen = step.get_support(indices=True)
            places = chosen if places is None else places[chosen]
        return [int(place) for place in places]
    return [int(place) for place in selector.get_support(indices=True)]


def _part(transformer: Any, names: Names) -> Part:
    if isinstance(transformer, Pipeline) and "encode" in transformer.named_steps:
        return Part(_lookups(transformer, names))
    if isinstance(transformer, Pipeline):
        values, scaler = (step for _, step in transformer.steps)
        return Part(_pieces(values, names), _scale(scaler))
    return Part(_pieces(transformer, names))


def _pieces(step: Any, names: Names) -> list[Piece]:
    maker = PIECES.get(type(step))
    if maker is None:
        raise NoTwin(f"Its step {type(step).__name__} cannot be expressed.")
    return maker(step, names)


def _imputed(step: SimpleImputer, names: Names) -> list[Piece]:
    fill: list[float | None] = [float(value) for value in step.statistics_]
    pieces: list[Piece] = [Numbers(names, fill)]
    if step.indicator_ is not None and len(step.indicator_.features_):
        pieces.append(_marks(step.indicator_, names))
    return pieces


def _marks(step: MissingIndicator, names: Names) -> Marks:
    return Marks([names[place] for place in step.features_])


def _kept_missing(step: KeepMissing, names: Names) -> list[Piece]:
    return [Numbers(names, [None] * len(names), [int(place) for place in np.flatnonzero(step.empty_)])]


def _dates(step: DateParts, names: Names) -> list[Piece]:
    known = zip(names, step.first_, step.median_, strict=True)
    return [Dates(name, _microseconds(first), _microseconds(median)) for name, first, median in known]


def _microseconds(moment: Any) -> int | None:
    return None if pd.isna(moment) else int(np.datetime64(moment, "us").astype("int64"))


def _words(step: WordWeights, names: Names) -> list[Piece]:
    return [
        Words(name, [str(word) for word in weights.get_feature_names_out()], weights.idf_.tolist())
        for name, weights in step.vectorizers_.items()
    ]


def _scale(scaler: Any) -> Scale:
    if isinstance(scaler, StandardScaler):
        return Affine(scaler.mean_.tolist(), scaler.scale_.tolist())
    if isinstance(scaler, RobustScaler):
        return Affine(scaler.center_.tolist(), scaler.scale_.tolist())
    if isinstance(scaler, Quantiles):
        ranks = scaler.ranks_
        return Bell(ranks.quantiles_.T.tolist(), ranks.references_.tolist())
    raise NoTwin(f"Its scaling {type(scaler).__name__} cannot be expressed.")


def _lookups(steps: Pipeline, names: Names) -> list[Piece]:
    """Each column's categories with the numbers that the fitted steps make of them, asked one by one."""
    encode = steps.named_steps["encode"]
    widths = _widths(encode, len(names))
    ends = np.cumsum([0, *widths])
    known = [[str(one) for one in categories] for categories in encode.categories_]
    if sum(len(keys) * width for keys, width in zip(known, widths, strict=True)) > MOST_TABLE_NUMBERS:
        raise NoTwin("Its categories are too many for a table.")
    missing = str(steps.named_steps["fill"].fill_value)
    return [
        _lookup(steps, names, place, keys, missing, slice(ends[place], ends[place + 1]))
        for place, keys in enumerate(known)
    ]


def _lookup(
    steps: Pipeline, names: Names, place: int, keys: Sequence[str], missing: str, mine: slice
) -> Lookup:
    asked = [*keys, UNHEARD]
    frame = pd.DataFrame({name: pd.Series([UNHEARD] * len(asked), dtype="str") for name in names})
    frame[names[place]] = pd.Series(asked, dtype="str")
    numbers = np.asarray(steps.transform(frame), dtype="float64")[:, mine]
    return Lookup(names[place], missing, list(keys), numbers[:-1].tolist(), numbers[-1].tolist())


def _widths(encode: Any, columns: int) -> list[int]:
    """How many numbers each column becomes."""
    if isinstance(encode, OneHotEncoder):
        return [int(width) for width in encode._n_features_outs]
    if isinstance(encode, TargetEncoder):
        return [len(encode.encodings_) // columns] * columns
    if isinstance(encode, OrdinalEncoder):
        return [1] * columns
    raise NoTwin(f"Its encoding {type(encode).__name__} cannot be expressed.")


PIECES: dict[type[Any], Callable[[Any, Names], list[Piece]]] = {
    SimpleImputer: _imputed,
    MissingIndicator: lambda step, names: [_marks(step, names)],
    KeepMissing: _kept_missing,
    DateParts: _dates,
    WordWeights: _words,
}
