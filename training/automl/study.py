"""What to try next, from all that was tried so far.

Every function is stateless: the trials are the truth, wherever they are kept, so any number of workers can
ask at the same time, and a study goes on after a break as if there had been none.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np

from training.algorithms import get_algorithm
from training.algorithms.space import Choices, Range, Space, search_space
from training.automl.trials import TrialSpec
from training.preprocessing.options import searched_options

GRID_POINTS = 3
STARTERS = 10  # random trials before a model of the past is worth its guess
RUNGS = (1 / 9, 1 / 3, 1.0)
BRACKET = (9, 3, 1)  # trials at each rung
INPUTS = "preprocessing."
SHARED_OUT = ("k_best", "model")  # the selections that keep a share of the inputs


class State(StrEnum):
    """Where a trial stands."""

    running = "running"
    complete = "complete"
    failed = "failed"


class Candidate(msgspec.Struct, frozen=True):
    """An algorithm in the race, with what is not to be varied of its parameters and of the preparation.

    ``vary_inputs`` names the options of the preparation that are searched too: as parameters with a prefix.
    """

    algorithm: str
    fixed: dict[str, Any] = {}
    prepared: dict[str, Any] = {}
    vary_inputs: tuple[str, ...] = ()

    def space(self) -> Space:
        """What may be varied."""
        whole = search_space(get_algorithm(self.algorithm))
        found = {name: tried for name, tried in whole.items() if name not in self.fixed}
        for name, tried in searched_options(self.prepared).items():
            if name in self.vary_inputs:
                found[INPUTS + name] = tried
        return found

    def spec(self, drawn: Mapping[str, Any]) -> TrialSpec:
        """The trial with these values for what is varied."""
        params = {name: value for name, value in drawn.items() if not name.startswith(INPUTS)}
        inputs = {name[len(INPUTS) :]: value for name, value in drawn.items() if name.startswith(INPUTS)}
        prepared = {**self.prepared, **inputs}
        if prepared.get("select", "none") not in SHARED_OUT:
            prepared.pop("keep", None)
        return TrialSpec(self.algorithm, {**self.fixed, **params}, prepared)


class Past(msgspec.Struct, frozen=True):
    """A trial so far; ``value`` is its mean score, higher is better, None unless complete."""

    algorithm: str
    params: dict[str, Any]
    state: State
    value: float | None = None
    share: float = 1.0
    preprocessing: dict[str, Any] = {}

    @property
    def drawn(self) -> dict[str, Any]:
        """Parameters and options of the preparation in one, as spaces name them."""
        return self.params | {INPUTS + name: value for name, value in self.preprocessing.items()}

    @property
    def spec(self) -> TrialSpec:
        """What was tried."""
        return TrialSpec(self.algorithm, self.params, self.preprocessing)


class Proposal(msgspec.Struct, frozen=True):
    """A trial to make on a share of the training rows."""

    spec: TrialSpec
    share: float = 1.0


Sampler = Callable[[Sequence[Candidate], Sequence[Past], int], Proposal | None]


def propose_defaults(candidates: Sequence[Candidate], past: Sequence[Past], seed: int) -> Proposal | None:
    """Each candidate once with its defaults, in their order; None when all had their turn."""
    for candidate in candidates:
        if not any(trial.algorithm == candidate.algorithm for trial in past):
            return Proposal(candidate.spec({}))
    return None


def propose_random(candidates: Sequence[Candidate], past: Sequence[Past], seed: int) -> Proposal:
    """A candidate by lot, with parameters by lot."""
    rng = np.random.default_rng([seed, len(past)])
    return Proposal(_drawn(candidates[int(rng.integers(len(candidates)))], rng))


def propose_grid(candidates: Sequence[Candidate], past: Sequence[Past], seed: int) -> Proposal | None:
    """The next point of the grid, three values for each range; None when all points were tried."""
    tried = {key_of(trial.spec) for trial in past}
    for candidate in candidates:
        for point in _grid(candidate.space()):
            spec = candidate.spec(point)
            if key_of(spec) not in tried:
                return Proposal(spec)
    return None


def propose_halving(candidates: Sequence[Candidate], past: Sequence[Past], seed: int) -> Proposal | None:
    """Nine trials on a ninth of the rows, the best three of them on a third, the best of those on all; again.

    Successive halving (Jamieson and Talwalkar 2016) in brackets of a fixed order, so that what is proposed at
    a place does not depend on who was quicker: None where it hangs on trials that have not ended.
    """
    first = next((place for place, trial in enumerate(past) if trial.share != 1.0), len(past))
    within = (len(past) - first) % sum(BRACKET)
    bracket = past[len(past) - within :]
    rung = 0
    while within >= sum(BRACKET[: rung + 1]):
        rung += 1
    if rung == 0:
        return Proposal(propose_random(candidates, past, seed).spec, RUNGS[0])
    rivals = bracket[sum(BRACKET[: rung - 1]) : sum(BRACKET[:rung])]
    if any(trial.state is State.running for trial in rivals):
        return None
    valued = [trial for trial in rivals if trial.value is not None and trial.share == RUNGS[rung - 1]]
    place = within - sum(BRACKET[:rung])
    if place >= len(valued):  # too few could be fitted: new ones in their place
        return Proposal(propose_random(candidates, past, seed).spec, RUNGS[0])
    return Proposal(sorted(valued, key=lambda trial: -_value(trial))[place].spec, RUNGS[rung])


def propose_tpe(candidates: Sequence[Candidate], past: Sequence[Past], seed: int) -> Proposal:
    """What resembles the better trials more than the others (Bergstra et al. 2011), by Optuna's sampler.

    Running trials count as bad ones meanwhile, so that workers do not try the same at once.
    """
    import optuna  # takes a second to load

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(
        n_startup_trials=STARTERS,
        seed=int(np.random.default_rng([seed, len(past)]).integers(2**31)),
        constant_liar=True,
    )
    study = optuna.create_study(direction="maximize", sampler=sampler)
    spaces = {candidate.algorithm: candidate.space() for candidate in candidates}
    for trial in past:
        if trial.algorithm in spaces and trial.state is not State.failed:
            study.add_trial(_as_optuna(optuna, trial, spaces))
    asked = study.ask()
    chosen = asked.suggest_categorical("algorithm", [candidate.algorithm for candidate in candidates])
    candidate = next(one for one in candidates if one.algorithm == chosen)
    params = {name: _suggested(asked, f"{chosen}.{name}", tried) for name, tried in spaces[chosen].items()}
    return Proposal(candidate.spec(params))


SAMPLERS: Mapping[str, Sampler] = {
    "tpe": propose_tpe,
    "random": propose_random,
    "halving": propose_halving,
    "grid": propose_grid,
}


def _drawn(candidate: Candidate, rng: np.random.Generator) -> TrialSpec:
    return candidate.spec({name: _draw(tried, rng) for name, tried in candidate.space().items()})


def _draw(tried: Range | Choices, rng: np.random.Generator) -> Any:
    if isinstance(tried, Choices):
        return tried.values[int(rng.integers(len(tried.values)))]
    return _at(tried, float(rng.uniform()))


def _at(tried: Range, place: float) -> float | int:
    """The value a share of the way from low to high, on the range's own scale."""
    if tried.log:
        value = float(np.exp(np.log(tried.low) + place * (np.log(tried.high) - np.log(tried.low))))
    else:
        value = tried.low + place * (tried.high - tried.low)
    value = min(max(value, tried.low), tried.high)  # rounding must not leave the range
    return round(value) if tried.whole else value


def _grid(space: Space) -> Iterator[dict[str, Any]]:
    axes = [
        tried.values
        if isinstance(tried, Choices)
        else [_at(tried, place) for place in np.linspace(0, 1, GRID_POINTS).tolist()]
        for tried in space.values()
    ]
    for point in itertools.product(*axes):
        yield dict(zip(space, point, strict=True))


def key_of(spec: TrialSpec) -> bytes:
    """The same for the same trial, however its parameters are ordered."""
    return msgspec.json.encode(spec, order="sorted")


def _value(trial: Past) -> float:
    return -np.inf if trial.value is None else trial.value


def _suggested(asked: Any, name: str, tried: Range | Choices) -> Any:
    if isinstance(tried, Choices):
        return asked.suggest_categorical(name, tried.values)
    if tried.whole:
        return asked.suggest_int(name, int(tried.low), int(tried.high), log=tried.log)
    return asked.suggest_float(name, tried.low, tried.high, log=tried.log)


def _as_optuna(optuna: Any, trial: Past, spaces: Mapping[str, Space]) -> Any:
    drawn = trial.drawn
    space = {
        f"{trial.algorithm}.{name}": (name, _distribution(optuna, tried))
        for name, tried in spaces[trial.algorithm].items()
        if name in drawn and _inside(drawn[name], tried)
    }
    algorithms = optuna.distributions.CategoricalDistribution(list(spaces))
    complete = trial.state is State.complete and trial.value is not None
    return optuna.trial.create_trial(
        state=optuna.trial.TrialState.COMPLETE if complete else optuna.trial.TrialState.RUNNING,
        value=trial.value if complete else None,
        params={"algorithm": trial.algorithm} | {key: drawn[name] for key, (name, _) in space.items()},
        distributions={"algorithm": algorithms} | {key: kind for key, (_, kind) in space.items()},
    )


def _inside(value: Any, tried: Range | Choices) -> bool:
    if isinstance(tried, Choices):
        return value in tried.values
    return isinstance(value, int | float) and tried.low <= value <= tried.high


def _distribution(optuna: Any, tried: Range | Choices) -> Any:
    if isinstance(tried, Choices):
        return optuna.distributions.CategoricalDistribution(tried.values)
    if tried.whole:
        return optuna.distributions.IntDistribution(int(tried.low), int(tried.high), log=tried.log)
    return optuna.distributions.FloatDistribution(tried.low, tried.high, log=tried.log)
