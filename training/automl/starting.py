"""How a race begins: what is tried first, on how many rows, and what is varied afterwards."""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace
from scipy.stats import skew

from registry.tabular.schema import NUMBER_TYPES, ColumnType
from training.algorithms import get_algorithm, parse_params
from training.automl.costs import Size, expected_seconds
from training.automl.field import Field
from training.automl.likeness import facts_of
from training.automl.portfolio import starting_points
from training.automl.study import INPUTS, Candidate, key_of
from training.automl.trials import TrialSpec
from training.preprocessing import parse_preprocessing, plain
from training.preprocessing.options import weighs_rows

SHARES = (1.0, 0.5, 0.25, 0.1, 0.05, 0.02)
FEWEST_ROWS = 2000
RARE = 0.15  # share of the rows below which a class is rare
OF_LABELS = {"f1", "balanced_accuracy", "mcc"}  # metrics that rare classes may decide
SKEWED = 0.5


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


def varied(candidate: Candidate, field: Field, metric: str) -> Candidate:
    """The candidate without options that can change nothing, or nothing for the better, on this table.

    Args:
        metric: what the race aims at.
    """
    kinds = {column.type for column in field.columns}
    numbers = [column.name for column in field.columns if column.type in NUMBER_TYPES]
    idle = set() if ColumnType.category in kinds else {"encode"}
    idle |= set() if numbers else {"scale"}
    idle |= set() if field.features[numbers].isna().any(axis=None) else {"impute", "indicators"}
    idle |= set() if _wants_balance(candidate, field, metric) else {"balance"}
    idle |= set() if _is_skewed(field) else {"reshape_target"}
    return replace(candidate, vary_inputs=tuple(name for name in candidate.vary_inputs if name not in idle))


def first_specs(candidates: Sequence[Candidate], field: Field) -> list[TrialSpec]:
    """What is tried first, as far as the candidates allow it; each of them has its turn."""
    known = {candidate.algorithm: candidate for candidate in candidates}
    facts = facts_of(field.features, field.target, field.columns, field.problem.key)
    found = [
        _allowed(spec, known[spec.algorithm]) for spec in starting_points(field.problem.key, facts, known)
    ]
    without = [one for key, one in known.items() if key not in {spec.algorithm for spec in found}]
    return found + [candidate.spec({}) for candidate in without]


def _allowed(spec: TrialSpec, candidate: Candidate) -> TrialSpec:
    """The spec with what the candidate holds fixed, and without options that it may not vary."""
    prepared = {name: value for name, value in spec.preprocessing.items() if name in candidate.vary_inputs}
    inside = {INPUTS + name: value for name, value in prepared.items()}
    return candidate.spec({**spec.params, **candidate.fixed, **inside})


def _wants_balance(candidate: Candidate, field: Field, metric: str) -> bool:
    if field.problem.key != "classification":
        return False
    rarest = float(field.target.value_counts(normalize=True).min())
    worth_it = rarest < RARE or metric in OF_LABELS
    return worth_it and weighs_rows(get_algorithm(candidate.algorithm), field.problem.key)


def _is_skewed(field: Field) -> bool:
    return field.problem.key == "regression" and abs(float(skew(field.target.to_numpy("float64")))) > SKEWED
