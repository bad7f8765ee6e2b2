"""What a fitted pipeline does to its rows before its estimator, as parts of a recipe.

Known are scikit-learn's usual steps. A step of the platform's own says itself what it does: it has a method
``pieces(names)``, or ``scaling()``, that returns the recipe's words for it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from registry.inference.errors import NoTwin
from registry.inference.recipe import Affine, Lookup, Marks, Numbers, Part, Piece, Scale

UNHEARD = "\x00"  # no category: a NUL is refused in every row
MOST_TABLE_NUMBERS = 2_000_000
Names = list[str]


@dataclass(frozen=True)
class Preparation:
    """Parts whose ``width`` numbers stand side by side, which are kept (None: all), and who gets them.

    ``rest`` are the steps in between that no recipe has words for.
    """

    parts: list[Part]
    width: int
    keep: list[int] | None
    rest: list[Any]
    model: Any

    @property
    def inputs(self) -> int:
        """How many numbers the model gets."""
        return self.width if self.keep is None else len(self.keep)


def preparation(pipeline: Any) -> Preparation:
    """The preparation of a fitted pipeline, or of a bare model, and its last step.

    Raises:
        NoTwin: its table of columns has a step of a kind that is not known, or their names are not known.
    """
    listed = pipeline.steps if isinstance(pipeline, Pipeline) else [("model", pipeline)]
    *before, model = [step for _, step in listed if step is not None and not isinstance(step, str)]
    if before and isinstance(before[0], ColumnTransformer):
        prepared = before.pop(0)
        parts, width = parts_of(prepared), max(place.stop for place in prepared.output_indices_.values())
    else:
        parts, width = _numbers_alone(before, _names(pipeline))
    keep = kept_columns(before.pop(0)) if before and _selects(before[0]) else None
    return Preparation(parts, int(width), keep, before, model)


def parts_of(prepared: ColumnTransformer) -> list[Part]:
    """The parts in the order of their columns; raises NoTwin for a step of a kind that is not known."""
    chosen = [
        (transformer, list(names))
        for _, transformer, names in prepared.transformers_
        if not isinstance(transformer, str)  # "drop": the columns that nothing asks for
    ]
    if not all(isinstance(name, str) for _, names in chosen for name in names):
        raise NoTwin("Its columns are chosen by their place.")
    return [_part(transformer, names) for transformer, names in chosen if names]


def kept_columns(selector: Any) -> list[int]:
    """The places of the inputs that a fitted selection keeps."""
    if isinstance(selector, Pipeline):
        places: Any = None
        for _, step in selector.steps:
            chosen = step.get_support(indices=True)
            places = chosen if places is None else places[chosen]
        return [int(place) for place in places]
    return [int(place) for place in selector.get_support(indices=True)]


def scale_of(scaler: Any) -> Scale | None:
    """The scale to which a fitted step brings numbers, None where it does something else."""
    if hasattr(scaler, "scaling"):
        return scaler.scaling()  # type: ignore[no-any-return]  # the platform's own steps say what they do
    if isinstance(scaler, StandardScaler):
        width = len(scaler.scale_) if scaler.with_std else len(scaler.mean_)
        shift = scaler.mean_ if scaler.with_mean else np.zeros(width)
        return Affine(shift.tolist(), (scaler.scale_ if scaler.with_std else np.ones(width)).tolist())
    if isinstance(scaler, RobustScaler) and scaler.with_centering and scaler.with_scaling:
        return Affine(scaler.center_.tolist(), scaler.scale_.tolist())
    return None


def _names(pipeline: Any) -> Names:
    names = getattr(pipeline, "feature_names_in_", None)
    if names is None:
        raise NoTwin("It was fitted without the names of its columns.")
    return [str(name) for name in names]


def _numbers_alone(before: list[Any], names: Names) -> tuple[list[Part], int]:
    """Number columns that are filled and scaled as a whole, or neither; takes those steps from the list."""
    part = _part_of(before, names)
    return [part], sum(len(piece.columns) for piece in part.pieces if isinstance(piece, Numbers | Marks))


def _part_of(steps: list[Any], names: Names) -> Part:
    """What the first steps of the list make of number columns; these are taken from the list."""
    pieces: list[Piece] = [Numbers(names, [None] * len(names))]
    if steps and (hasattr(steps[0], "pieces") or type(steps[0]) in PIECES) and not _computes(steps[0]):
        pieces = _pieces(steps.pop(0), names)
    scale = scale_of(steps[0]) if steps else None
    if scale is not None:
        del steps[0]
    return Part(pieces, scale)


def _selects(step: Any) -> bool:
    steps = [one for _, one in step.steps] if isinstance(step, Pipeline) else [step]
    return all(hasattr(one, "get_support") for one in steps)


def _part(transformer: Any, names: Names) -> Part:
    steps = [step for _, step in transformer.steps] if isinstance(transformer, Pipeline) else [transformer]
    if len(steps) > 1 and "encode" in transformer.named_steps:
        return Part(_lookups(transformer, names))
    part = _part_of(steps, names)
    if steps:
        raise NoTwin(f"Its step {type(steps[0]).__name__} cannot be expressed.")
    return part


def _pieces(step: Any, names: Names) -> list[Piece]:
    if hasattr(step, "pieces"):
        return step.pieces(names)  # type: ignore[no-any-return]  # as above
    return PIECES[type(step)](step, names)


def _imputed(step: SimpleImputer, names: Names) -> list[Piece]:
    numbers = all(isinstance(value, int | float) for value in step.statistics_.tolist())
    if not numbers or np.isnan(step.statistics_).any() or not pd.isna(step.missing_values):
        raise NoTwin("It fills in texts, or drops columns.")
    pieces: list[Piece] = [Numbers(names, [float(value) for value in step.statistics_])]
    if step.indicator_ is not None and len(step.indicator_.features_):
        pieces.append(_marks(step.indicator_, names))
    return pieces


def _computes(step: Any) -> bool:
    return isinstance(step, FunctionTransformer) and step.func is not None


def _marks(step: MissingIndicator, names: Names) -> Marks:
    return Marks([names[place] for place in step.features_])


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
    FunctionTransformer: lambda _, names: [Numbers(names, [None] * len(names))],
}
