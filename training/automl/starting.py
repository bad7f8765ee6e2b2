"""How a race begins: on how many rows, and what counts as the same trial."""

from collections.abc import Sequence

import msgspec

from training.algorithms import get_algorithm, parse_params
from training.automl.costs import Size, expected_seconds
from training.automl.study import key_of
from training.automl.trials import TrialSpec
from training.preprocessing import parse_preprocessing, plain

SHARES = (1.0, 0.5, 0.25, 0.1, 0.05, 0.02)
FEWEST_ROWS = 2000


def first_share(first: Sequence[TrialSpec], size: Size, seconds: float) -> float:
    """The share of the rows to begin with: all where enough trials fit into half the time, else a part.

    Args:
        first: the first trials. size: of one fit on all rows. seconds: for fits, of one core, of each fold.
    """
    smallest = 1.0
    for share in SHARES:
        part = Size(int(share * size.rows), size.inputs, size.classes)
        if share < 1.0 and part.rows < FEWEST_ROWS:
            break
        smallest = share
        if sum(expected_seconds(spec, part) for spec in first) <= seconds / 2:
            break
    return smallest


def whole_key(spec: TrialSpec) -> bytes:
    """The same for trials that come to the same once defaults are filled in."""
    params = msgspec.to_builtins(parse_params(get_algorithm(spec.algorithm), spec.params))
    return key_of(TrialSpec(spec.algorithm, params, plain(parse_preprocessing(spec.preprocessing))))
