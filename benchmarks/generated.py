"""Tables by lot, to measure on: each has a truth, a size and faults of its own, all from one number."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.datasets import (
    make_circles,
    make_classification,
    make_friedman1,
    make_friedman2,
    make_friedman3,
    make_gaussian_quantiles,
    make_moons,
    make_regression,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from sklearn.tree import DecisionTreeRegressor

Floats = npt.NDArray[np.float64]
Rng = np.random.Generator

FEWEST, MOST, UNSEEN = 80, 800, 1500
MOST_INPUTS = 30


@dataclass(frozen=True)
class GeneratedTable:
    """Rows to learn from, and many unseen ones of the same kind."""

    name: str
    train: pd.DataFrame
    target: "pd.Series[Any]"
    test: pd.DataFrame
    truth: "pd.Series[Any]"


def generated(problem: str, seed: int) -> GeneratedTable:
    """The table of this number: classification (two to six classes) or regression."""
    rng = np.random.default_rng([seed, problem == "regression"])
    rows = int(np.exp(rng.uniform(np.log(FEWEST), np.log(MOST))))
    kinds = NUMBERS if problem == "regression" else CLASSES
    name = str(rng.choice(sorted(kinds)))
    X, y = kinds[name](rng, rows + UNSEEN)
    frame = _faults(_inputs(X, rng), rng)
    order = rng.permutation(len(y))  # some makers sort by class
    frame, y = frame.iloc[order].reset_index(drop=True), y[order]
    target = pd.Series(y if problem == "regression" else np.array([f"c{one}" for one in y], dtype=object))
    parts = (slice(None, rows), slice(rows, None))
    (train, learnt), (test, truth) = (
        (frame.iloc[part].reset_index(drop=True), target.iloc[part].reset_index(drop=True)) for part in parts
    )
    return GeneratedTable(f"{problem} {seed}: {name}, {rows} rows", train, learnt, test, truth)


def _clusters(rng: Rng, n: int) -> tuple[Floats, npt.NDArray[np.int64]]:
    inputs = int(rng.integers(4, MOST_INPUTS))
    classes = int(rng.choice([2, 2, 2, 3, 4, 6]))
    informative = int(rng.integers(max(3, int(np.ceil(np.log2(classes))) + 1), inputs + 1))
    weights = rng.dirichlet(np.full(classes, rng.choice([1.5, 20.0])))
    X, y = make_classification(
        n,
        inputs,
        n_informative=informative,
        n_redundant=0,
        n_classes=classes,
        n_clusters_per_class=int(rng.integers(1, 3)),
        weights=list(np.maximum(weights, 0.04) / np.maximum(weights, 0.04).sum()),
        class_sep=float(rng.uniform(0.5, 2.0)),
        flip_y=float(rng.choice([0.0, 0.05, 0.2])),
        random_state=int(rng.integers(2**31)),
    )
    return X, y


def _curves(rng: Rng, n: int) -> tuple[Floats, npt.NDArray[np.int64]]:
    make = make_moons if rng.uniform() < 0.5 else make_circles
    X, y = make(n, noise=float(rng.uniform(0.1, 0.4)), random_state=int(rng.integers(2**31)))
    return np.column_stack([X, rng.normal(size=(n, int(rng.integers(0, 12))))]), y


def _shells(rng: Rng, n: int) -> tuple[Floats, npt.NDArray[np.int64]]:
    classes = int(rng.integers(2, 5))
    X, y = make_gaussian_quantiles(
        n_samples=n,
        n_features=int(rng.integers(2, 9)),
        n_classes=classes,
        random_state=int(rng.integers(2**31)),
    )
    return X, y


def _cut(rng: Rng, n: int) -> tuple[Floats, npt.NDArray[np.int64]]:
    """A number's hidden truth, cut into classes with some error."""
    X, y = NUMBERS[str(rng.choice(["steps", "smooth", "linear"]))](rng, n)
    y = y + float(rng.choice([0.1, 0.5])) * y.std() * rng.normal(size=n)
    cuts = np.sort(rng.uniform(0.05, 0.95, int(rng.integers(1, 4))))
    return X, np.searchsorted(np.quantile(y, cuts), y)


def _normal(rng: Rng, n: int) -> Floats:
    inputs = int(rng.integers(3, MOST_INPUTS))
    mixed = rng.normal(size=(n, inputs)) @ (np.eye(inputs) + 0.3 * rng.normal(size=(inputs, inputs)))
    return np.asarray(mixed)


def _steps(rng: Rng, n: int) -> tuple[Floats, Floats]:
    """Trees grown on noise, so that the truth has jumps and few inputs count."""
    X = _normal(rng, n)
    trees = [
        DecisionTreeRegressor(max_depth=int(rng.integers(2, 6)), random_state=one).fit(
            X[:300], rng.normal(size=300)
        )
        for one in range(int(rng.integers(1, 8)))
    ]
    return X, _noisy(np.sum([tree.predict(X) for tree in trees], axis=0), rng)


def _smooth(rng: Rng, n: int) -> tuple[Floats, Floats]:
    """A network fitted to noise, so that the truth is smooth and inputs mix."""
    X = _normal(rng, n)
    network = MLPRegressor(
        hidden_layer_sizes=(16,), max_iter=60, random_state=int(rng.integers(2**31)), tol=1e-9
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is to be rough
        network.fit(X[:200], 3 * rng.normal(size=200))
    return X, _noisy(network.predict(X), rng)


def _linear(rng: Rng, n: int) -> tuple[Floats, Floats]:
    inputs = int(rng.integers(3, MOST_INPUTS))
    X, y = make_regression(
        n, inputs, n_informative=int(rng.integers(1, inputs + 1)), random_state=int(rng.integers(2**31))
    )
    return X, _noisy(y, rng)


def _friedman(rng: Rng, n: int) -> tuple[Floats, Floats]:
    make = (make_friedman1, make_friedman2, make_friedman3)[int(rng.integers(3))]
    X, y = make(n, random_state=int(rng.integers(2**31)))
    return X, _noisy(y, rng)


def _noisy(y: Floats, rng: Rng) -> Floats:
    """With some noise; every third with a long tail, as prices and counts have."""
    scaled = (y - y.mean()) / max(float(y.std()), 1e-9)
    noisy = scaled + float(rng.choice([0.05, 0.3, 1.0])) * rng.normal(size=len(y))
    return np.asarray(np.exp(float(rng.uniform(0.4, 1.0)) * noisy) if rng.uniform() < 1 / 3 else noisy)


CLASSES: dict[str, Callable[[Rng, int], tuple[Floats, npt.NDArray[np.int64]]]] = {
    "clusters": _clusters,
    "curves": _curves,
    "shells": _shells,
    "cut": _cut,
}
NUMBERS: dict[str, Callable[[Rng, int], tuple[Floats, Floats]]] = {
    "steps": _steps,
    "smooth": _smooth,
    "linear": _linear,
    "friedman": _friedman,
}


def _inputs(X: Floats, rng: Rng) -> pd.DataFrame:
    """Named columns: some with a long tail, some rounded, some told as categories in no order."""
    frame = pd.DataFrame(X, columns=[f"x{place}" for place in range(X.shape[1])])
    told = rng.choice([0.0, 0.0, 0.3, 0.7])
    for name in frame.columns:
        lot = rng.uniform()
        if lot < told:
            kinds = int(rng.integers(2, 15))
            cut = pd.qcut(frame[name], kinds, labels=False, duplicates="drop").to_numpy()
            frame[name] = (
                pd.Series(rng.permutation(kinds)[cut], dtype="int64").map("k{}".format).astype("str")
            )
        elif lot > 0.85:
            values = (frame[name] - frame[name].mean()) / max(float(frame[name].std()), 1e-9)
            frame[name] = np.exp(values) if lot > 0.93 else values.round(1)
    return frame


def _faults(frame: pd.DataFrame, rng: Rng) -> pd.DataFrame:
    """Missing values in half of the tables: by chance, or where the value is large."""
    if rng.uniform() < 0.5:
        return frame
    share = float(rng.choice([0.02, 0.1, 0.3]))
    for name in frame.columns:
        if rng.uniform() < 0.5:
            lots = rng.uniform(size=len(frame))
            if pd.api.types.is_numeric_dtype(frame[name]) and rng.uniform() < 0.5:
                lots = lots * (1.5 - frame[name].rank(pct=True).to_numpy())
            frame.loc[lots < share, name] = None if frame[name].dtype == "str" else np.nan
    return frame
