"""What is asked of a batch, and whether the version can give it."""

from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import Meta

from registry.errors import NoBounds
from registry.inference.bounds import LEAST_COVERAGE, MOST_COVERAGE
from registry.inference.conformal import Calibration, Conformal
from registry.models import ModelVersion
from registry.services.explaining import explainable_plan
from registry.tabular.errors import TooFewRows
from registry.tabular.schema import UNUSED_TYPES, Column, columns_from_json
from training.batching.layouts import demand_columns
from training.errors import InvalidBatch

MOST_REASONS = 10
MOST_KEPT = 2_000


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What stands in the file of answers, and what is logged.

    ``keep`` names columns of the input that stand beside the answers, ``keep_all`` keeps all. ``key`` is the
    column with the caller's names for the cases; it is kept, too. ``reasons`` is how many columns that move
    an answer most are told. ``coverage`` asks for intervals, or sets of classes, that hold the truth so
    often.
    """

    keep: Annotated[list[str], Meta(max_length=MOST_KEPT)] = []
    keep_all: bool = False
    key: str | None = None
    probabilities: bool = True
    reasons: Annotated[int, Meta(ge=0, le=MOST_REASONS)] = 0
    coverage: Annotated[float, Meta(ge=LEAST_COVERAGE, le=MOST_COVERAGE)] | None = None
    log: bool = False

    def kept(self, names: Iterable[str]) -> list[str]:
        """Return the columns that stand beside the answers, of an input with these columns, in its order."""
        wanted = {*self.keep, *([self.key] if self.key else [])}
        return [name for name in names if self.keep_all or name in wanted]


def wanted_columns(version: ModelVersion) -> list[Column]:
    """Return the columns that the version looks at."""
    return [one for one in columns_from_json(version.features) if one.type not in UNUSED_TYPES]


def check_options(options: Options, version: ModelVersion) -> None:
    """Raise NotExplainable or NoBounds where the version cannot give what is asked for."""
    if options.reasons:
        explainable_plan(version)
    if options.coverage is not None:
        learnt_bounds(version, options.coverage)


def check_names(options: Options, version: ModelVersion, names: Iterable[str]) -> None:
    """Raise UnreadableFile where an input with these columns lacks one that is wanted."""
    known = list(names)
    demand_columns(known, (column.name for column in wanted_columns(version)), what="the model needs")
    demand_columns(known, [*options.keep, *([options.key] if options.key else [])], what="you want to keep")


def learnt_bounds(version: ModelVersion, coverage: float) -> Conformal:
    """Return what holds the truth so often; raises NoBounds."""
    if version.conformal is None:
        raise NoBounds(
            f"{version} cannot say how sure its answers are: its training kept nothing to judge that by. "
            "Ask without intervals, or train the model again with an algorithm that gives probabilities."
        )
    try:
        return msgspec.convert(version.conformal, Calibration).at(coverage)
    except TooFewRows as error:
        raise NoBounds(f"{version}: {error.detail}") from error


def parsed_options(**given: object) -> Options:
    """Return the options; raises InvalidBatch, which names the wrong one."""
    try:
        return msgspec.convert({name: value for name, value in given.items() if value is not None}, Options)
    except msgspec.ValidationError as error:
        field = str(error).rpartition("$.")[2].rstrip("`").partition("[")[0] or "options"
        raise InvalidBatch(
            f"The options of the batch are wrong: {error}.", fields={field: [str(error)]}
        ) from error
