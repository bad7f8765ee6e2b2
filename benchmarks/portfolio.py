"""Measure where an automatic search should begin: ``python benchmarks/portfolio.py --minutes 15``.

Fits many configurations (algorithm, parameters, preparation) on tables by lot (``benchmarks/generated.py``;
none of them is a table that ``benchmarks/automl.py`` judges by), scores them on many unseen rows, and writes
how far each fell behind the best to ``training/automl/portfolio.json``, which the search starts from. Prints
what the choice is worth for tables that did not take part in it: the regret of the best of the first few
trials, with the tables most like the new one counting most, with all counting the same, and by lot.
Every score is kept in ``--results``: the next run goes on where this one ends, and measures only what is
new where configurations were added.
"""

import argparse
import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import lightgbm
import msgspec
import numpy as np
import sklearn
import xgboost
from threadpoolctl import threadpool_limits

from benchmarks.generated import GeneratedTable, generated
from registry.inference.native import predict
from registry.problems import get_problem
from registry.tabular.schema import UNUSED_TYPES, coerce_frame, infer_schema
from training.algorithms import algorithms_for, get_algorithm
from training.algorithms.space import search_space
from training.automl.fitting import fit_pipeline
from training.automl.likeness import facts_of, likeness
from training.automl.portfolio import FILE, RACERS, greedy
from training.automl.search import FIT_ERRORS
from training.automl.study import Candidate, key_of, propose_random
from training.automl.trials import TrialSpec

PROBLEMS = ("classification", "regression")
SHARES = {"lightgbm": 7, "hist_gradient_boosting": 5, "xgboost": 5, "naive_bayes": 1, "knn": 2}
USUAL_SHARE = 3
MOST_ROUNDS = 300  # beyond, a search on small tables gains little and waits long
PREPARED = ("scale", "encode", "select", "keep", "impute", "reshape_target")
PREPARED_SHARE = 0.3  # how often an option of the preparation is drawn at all
FIRST = (1, 4, 8, 16)
BENT = {"scale": "quantile"}

Results = dict[str, dict[int, dict[str, Any]]]


def _spec(algorithm: str, inputs: dict[str, Any] | None = None, **params: Any) -> TrialSpec:
    return TrialSpec(algorithm, params, inputs or {})


# What published comparisons on many tables found good: slow, small boosted trees with few columns each,
# forests with larger leaves, linear models on bent scales.
PUBLISHED: dict[str, tuple[TrialSpec, ...]] = {
    "classification": (
        _spec("lightgbm", learning_rate=0.05, n_estimators=150, num_leaves=15, colsample_bytree=0.6),
        _spec("lightgbm", learning_rate=0.03, n_estimators=300, num_leaves=7, colsample_bytree=0.4),
        _spec("hist_gradient_boosting", learning_rate=0.05, max_iter=150, max_leaf_nodes=15),
        _spec("xgboost", learning_rate=0.05, n_estimators=200, max_depth=4, colsample_bytree=0.6),
        _spec("extra_trees", n_estimators=200, min_samples_leaf=2),
        _spec("random_forest", n_estimators=200, min_samples_leaf=2),
        _spec("logistic_regression", BENT, C=0.1),
        _spec("mlp", BENT, units=64, layers=1, alpha=1e-2),
        _spec("svm", C=10.0),
    ),
    "regression": (
        _spec("lightgbm", learning_rate=0.05, n_estimators=200, num_leaves=15, colsample_bytree=0.6),
        _spec("lightgbm", learning_rate=0.03, n_estimators=300, num_leaves=7, colsample_bytree=0.4),
        _spec("hist_gradient_boosting", learning_rate=0.05, max_iter=200, max_leaf_nodes=15),
        _spec("xgboost", learning_rate=0.05, n_estimators=300, max_depth=4, colsample_bytree=0.6),
        _spec("extra_trees", n_estimators=200, min_samples_leaf=2),
        _spec("extra_trees", {"reshape_target": "power"}, n_estimators=200, max_features=0.5),
        _spec("lightgbm", {"reshape_target": "power"}, learning_rate=0.05, n_estimators=200, num_leaves=15),
        _spec("ridge", BENT, alpha=10.0),
        _spec("svm", C=10.0),
    ),
}


def configurations(problem: str, seed: int) -> list[TrialSpec]:
    """Each algorithm as it is, some of each by lot, and what has been found good elsewhere."""
    rng = np.random.default_rng([seed, 77])
    known = {algorithm.key for algorithm in algorithms_for(problem)}
    found = []
    for key in (one for one in RACERS if one in known):
        found.append(TrialSpec(key))
        for turn in range(SHARES.get(key, USUAL_SHARE)):
            options = [name for name in PREPARED if rng.uniform() < PREPARED_SHARE]
            if problem != "regression" and "reshape_target" in options:
                options.remove("reshape_target")
            candidate = Candidate(key, vary_inputs=tuple(options))
            drawn = propose_random([candidate], [], int(rng.integers(2**31)) + turn).spec
            found.append(_affordable(drawn))
    return found + [spec for spec in PUBLISHED[problem] if spec.algorithm in known]


def _affordable(spec: TrialSpec) -> TrialSpec:
    space = search_space(get_algorithm(spec.algorithm))
    rounds = {
        name: min(spec.params[name], MOST_ROUNDS) for name in ("n_estimators", "max_iter") if name in space
    }
    rounded = {
        name: float(f"{value:.3g}") if isinstance(value, float) else value
        for name, value in spec.params.items()
    }
    prepared = {
        name: round(value, 2) if isinstance(value, float) else value
        for name, value in spec.preprocessing.items()
    }
    return TrialSpec(spec.algorithm, {**rounded, **rounds}, prepared)


def measured(table: GeneratedTable, problem: str, specs: list[TrialSpec]) -> dict[str, Any]:
    """The table's facts, and the configurations' scores on the unseen rows; None where one could not fit."""
    kind = get_problem(problem)
    columns = [one for one in infer_schema(table.train) if one.type not in UNUSED_TYPES]
    features, target = coerce_frame(table.train, columns), kind.clean_target(table.target)
    unseen, truth = coerce_frame(table.test, columns), kind.clean_target(table.truth).to_numpy()
    classes = sorted(set(target)) if problem == "classification" else None
    known = np.isin(truth, classes) if classes else np.ones(len(truth), dtype=bool)
    metric = "r2" if classes is None else "roc_auc" if len(classes) == 2 else "log_loss"
    sign = 1.0 if kind.metric(metric).higher_is_better else -1.0
    scores: list[float | None] = []
    for spec in specs:
        try:
            model = fit_pipeline(spec, features, target, columns, kind, 0)
        except FIT_ERRORS as error:
            print(f"  {spec.algorithm} could not be fitted: {error}", file=sys.stderr)
            scores.append(None)
            continue
        answers = predict(model, unseen[known], classes)
        scores.append(sign * kind.score(truth[known], answers)[metric])
    return {
        "facts": facts_of(features, target, columns, problem),
        "scores": {name_of(spec): found for spec, found in zip(specs, scores, strict=True)},
    }


def name_of(spec: TrialSpec) -> str:
    """The configuration as a line of text."""
    return key_of(spec).decode()


def regret(scores: list[float | None]) -> list[float]:
    """How far behind the best: 0 for the best, 1 for the median, for worse ones and those that failed."""
    known = np.array([np.nan if one is None else one for one in scores])
    best, middle = np.nanmax(known), np.nanmedian(known)
    behind = (best - known) / max(best - middle, 1e-9)
    return [round(float(one), 3) for one in np.clip(np.nan_to_num(behind, nan=1.0), 0, 1)]


def worth(tables: list[dict[str, Any]]) -> dict[str, list[float]]:
    """Mean regret of the best of the first trials, each table judged by a choice made on the others."""
    table = np.array([one["regret"] for one in tables])
    found: dict[str, list[list[float]]] = {"the most like tables": [], "all tables alike": [], "by lot": []}
    for left in range(len(tables)):
        others = [place for place in range(len(tables)) if place != left]
        weights = likeness(tables[left]["facts"], [tables[place]["facts"] for place in others])
        lot = np.random.default_rng(left).permutation(table.shape[1]).tolist()
        orders = (
            greedy(table[others], weights, max(FIRST)),
            greedy(table[others], np.ones(len(others)), max(FIRST)),
            lot,
        )
        for kept, order in zip(found.values(), orders, strict=True):
            kept.append([float(table[left, order[:count]].min()) for count in FIRST])
    return {name: [round(float(value), 3) for value in np.mean(kept, axis=0)] for name, kept in found.items()}


def kept_results(path: Path) -> Results:
    """Of each problem the tables by number, as earlier runs measured them: facts, and scores by name."""
    found: Results = {problem: {} for problem in PROBLEMS}
    for text in path.read_text().splitlines() if path.exists() else ():
        one = json.loads(text)
        table = found[one["problem"]].setdefault(one["table"], {"facts": one["facts"], "scores": {}})
        table["scores"].update(one["scores"])
    return found


def next_table(
    specs: dict[str, list[TrialSpec]], kept: Results, seed: int
) -> tuple[str, int, list[TrialSpec]]:
    """Problem and number of the table to measure next, and what was not measured on it yet."""
    for problem in PROBLEMS:
        for number, table in kept[problem].items():
            if missing := [spec for spec in specs[problem] if name_of(spec) not in table["scores"]]:
                return problem, number, missing
    problem = min(PROBLEMS, key=lambda one: len(kept[one]))
    return problem, 1000 * seed + len(kept[problem]), specs[problem]


def main() -> int:
    """Measure until the time is over, then write the file and tell what it is worth."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--minutes", type=float, default=15, help="How long to measure (15); 0 to only write."
    )
    parser.add_argument("--seed", type=int, default=0, help="Of configurations and tables (0).")
    parser.add_argument("--results", type=Path, default=Path("portfolio-results.jsonl"))
    parser.add_argument("--output", type=Path, default=FILE)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    specs = {problem: configurations(problem, asked.seed) for problem in PROBLEMS}
    kept, began = kept_results(asked.results), time.monotonic()
    while time.monotonic() - began < 60 * asked.minutes:
        problem, number, missing = next_table(specs, kept, asked.seed)
        table = generated(problem, number)
        with threadpool_limits(1):
            found = measured(table, problem, missing)
        with asked.results.open("a") as file:
            file.write(json.dumps({"problem": problem, "table": number, **found}) + "\n")
        known = kept[problem].setdefault(number, {"facts": found["facts"], "scores": {}})
        known["scores"].update(found["scores"])
        print(f"{time.monotonic() - began:6.0f} s  {table.name}", file=sys.stderr, flush=True)
    write(asked.output, specs, kept, asked.seed)
    return 0


def write(path: Path, specs: dict[str, list[TrialSpec]], kept: Results, seed: int) -> None:
    """Write the portfolio from the tables that are complete, and print what it is worth."""
    versions = {library.__name__: library.__version__ for library in (sklearn, lightgbm, xgboost, np)}
    made: dict[str, Any] = {
        "by": f"python benchmarks/portfolio.py --seed {seed}",
        "with": versions,
        "regret after trials": list(FIRST),
        "regret": {},
    }
    problems = {}
    for problem in PROBLEMS:
        names = [name_of(spec) for spec in specs[problem]]
        whole = [one for one in kept[problem].values() if set(names) <= set(one["scores"])]
        tables = [
            {
                "facts": {name: round(value, 3) for name, value in one["facts"].items()},
                "regret": regret([one["scores"][name] for name in names]),
            }
            for one in whole
        ]
        problems[problem] = {"configurations": msgspec.to_builtins(specs[problem]), "tables": tables}
        made["regret"][problem] = worth(tables)
        print(f"{problem}: {len(names)} configurations on {len(tables)} tables")
        for name, values in made["regret"][problem].items():
            told = ", ".join(f"{value:.3f} after {count}" for count, value in zip(FIRST, values, strict=True))
            print(f"  regret, {name}: {told}")
    path.write_text(_lines({"made": made, "problems": problems}))


def _lines(whole: dict[str, Any]) -> str:
    """JSON with a line for each configuration and each table, so that differences can be read."""
    parts = []
    for problem, one in whole["problems"].items():
        lists = [
            f'  "{name}": [\n' + ",\n".join(f"   {json.dumps(row)}" for row in one[name]) + "\n  ]"
            for name in ("configurations", "tables")
        ]
        parts.append(f' "{problem}": {{\n' + ",\n".join(lists) + "\n }")
    return "{\n" + f'"made": {json.dumps(whole["made"])},\n"problems": {{\n' + ",\n".join(parts) + "\n}\n}\n"


if __name__ == "__main__":
    sys.exit(main())
