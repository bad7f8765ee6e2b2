"""How inputs are prepared, and how answers are made: what a job may choose."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from sklearn.utils.validation import has_fit_parameter

from training.algorithms import Algorithm
from training.algorithms.base import BOTH, CLASSIFICATION, REGRESSION
from training.algorithms.space import Choices, Range, Space
from training.preprocessing.errors import InvalidPreprocessing


class Preprocessing(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """What happens between the table and the algorithm. ``auto`` leaves it to what the algorithm needs."""

    impute: Annotated[
        Literal["auto", "median", "mean", "most_frequent"],
        Meta(description="What stands for a missing number; auto: the median, or nothing where not needed."),
    ] = "auto"
    indicators: Annotated[bool, Meta(description="Mark which numbers were missing.")] = True
    scale: Annotated[
        Literal["auto", "none", "standard", "robust", "quantile"],
        Meta(description="How numbers come to one scale; auto: standard where the algorithm needs it."),
    ] = "auto"
    encode: Annotated[
        Literal["auto", "one_hot", "ordinal", "target"],
        Meta(description="How categories become numbers; target: by what they meant for the target."),
    ] = "auto"
    max_categories: Annotated[
        int, Meta(ge=2, le=1000, description="Categories of a column beyond so many are grouped.")
    ] = 50
    rare_share: Annotated[
        float, Meta(ge=0, le=0.5, description="Categories rarer than this share of the rows are grouped.")
    ] = 0.01
    select: Annotated[
        Literal["none", "variance", "k_best", "model"],
        Meta(description="Which inputs are kept: all, those that vary, the most related, the most used."),
    ] = "none"
    keep: Annotated[
        float, Meta(gt=0, le=1, description="Share of the inputs that k_best and model keep.")
    ] = 0.5
    balance: Annotated[
        Literal["none", "weights", "over", "under"],
        Meta(description="What is done for rare classes, within the training folds only."),
    ] = "none"
    reshape_target: Annotated[
        Literal["none", "power"],
        Meta(description="How a number to predict is learnt: as it is, or bent towards a bell curve."),
    ] = "none"


SEARCHED: Space = {
    "impute": Choices(("auto", "median", "mean", "most_frequent")),
    "indicators": Choices((True, False)),
    "scale": Choices(("auto", "robust", "quantile")),
    "encode": Choices(("auto", "one_hot", "target")),
    "select": Choices(("none", "k_best", "model")),
    "keep": Range(0.2, 0.9, log=False, whole=False),
    "balance": Choices(("none", "weights", "over")),
    "reshape_target": Choices(("none", "power")),
}


def parse_preprocessing(raw: Mapping[str, Any] | None) -> Preprocessing:
    """Typed options, defaults filled in; raises InvalidPreprocessing, which names what is wrong."""
    try:
        return msgspec.convert(dict(raw or {}), Preprocessing, strict=True)
    except msgspec.ValidationError as error:
        raise InvalidPreprocessing(f"The inputs cannot be prepared like this: {error}.") from error


def plain(options: Preprocessing) -> dict[str, Any]:
    """What differs from the defaults, as JSON."""
    told: dict[str, Any] = msgspec.to_builtins(options)
    return told


def check_fits(options: Preprocessing, problem: str, algorithm: Algorithm | None = None) -> None:
    """Raise InvalidPreprocessing where the options and the problem, or the algorithm, do not go together."""
    if options.balance != "none" and problem != CLASSIFICATION:
        raise InvalidPreprocessing("Balancing is for classes: a number has none. Leave 'balance' out.")
    if options.reshape_target != "none" and problem != REGRESSION:
        raise InvalidPreprocessing("Only a number can be reshaped: leave 'reshape_target' out.")
    if problem not in BOTH and (options.encode == "target" or options.select in {"k_best", "model"}):
        raise InvalidPreprocessing(
            "Target encoding and choosing inputs by their worth need a target to learn from; here is none. "
            "Leave them out."
        )
    if options.balance == "weights" and algorithm is not None and not weighs_rows(algorithm, problem):
        raise InvalidPreprocessing(
            f"{algorithm.title} cannot weigh rows. Choose 'over' or 'under', or another algorithm."
        )


def weighs_rows(algorithm: Algorithm, problem: str) -> bool:
    """Whether rows may be given weights."""
    estimator = algorithm.build(algorithm.params(), 0, problem)
    return bool(has_fit_parameter(estimator, "sample_weight"))


def searched_options(given: Mapping[str, Any]) -> Space:
    """What a search may vary of the preparation: all but what is given."""
    return {name: tried for name, tried in SEARCHED.items() if name not in given}
