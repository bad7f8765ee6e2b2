"""The platform's automatic search on one split: ``python own_fit.py FOLDER``; files as FLAML's.

What a job calls: the race, then the winner fitted on all rows.
"""

import json
import os
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from functools import partial

import pandas as pd

from registry.inference.native import predict
from registry.problems import get_problem
from registry.tabular.schema import UNUSED_TYPES, coerce_frame, infer_schema
from training.algorithms import algorithms_for
from training.automl.again import other_folds
from training.automl.budget import AutoMLSettings
from training.automl.fitting import fit_pipeline
from training.automl.portfolio import RACERS
from training.automl.race import Field, Race
from training.automl.study import Candidate
from training.evaluation.splits import folds
from training.preprocessing.options import SEARCHED

warnings.filterwarnings("ignore")


class Silent:
    """Follows nothing, or tells each trial where it is asked to."""

    def check(self) -> None:
        """Never stop."""

    def begun(self, spec: object, share: float) -> object:
        """Name the trial by its beginning."""
        return time.monotonic()

    def fold(self, trial: object, index: int, scores: dict, done: float) -> None:
        """Say nothing."""

    def ended(self, trial: float, result: object) -> None:
        """Tell the trial where ``TELL`` is set."""
        if os.environ.get("TELL"):
            words = f"{result.algorithm:24} {result.mean} {result.params} {result.preprocessing}"
            print(f"{time.monotonic() - trial:6.2f} s  {words[:200]} {result.error or ''}", file=sys.stderr)

    def revised(self, trial: float, result: object) -> None:
        """Tell the trial once more where ``TELL`` is set."""
        self.ended(trial, result)

    def note(self, text: str) -> None:
        """Tell where ``TELL`` is set."""
        if os.environ.get("TELL"):
            print(text, file=sys.stderr)


def main() -> None:
    """Search, fit, answer."""
    folder = Path(sys.argv[1])
    task = json.loads((folder / "task.json").read_text())
    began = time.monotonic()
    train, test = pd.read_parquet(folder / "train.parquet"), pd.read_parquet(folder / "test.parquet")
    problem = get_problem("regression" if task["kind"] == "regression" else "classification")
    target = problem.clean_target(train.pop("target"))
    columns = [column for column in infer_schema(train) if column.type not in UNUSED_TYPES]
    features = coerce_frame(train, columns)
    metric = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "r2"}[task["kind"]]
    divide = partial(folds, target, problem, 5)
    keys = [algorithm.key for algorithm in algorithms_for(problem.key)]
    field = Field(
        features,
        target,
        columns,
        problem,
        divide(task["seed"]),
        task["seed"],
        threads=task["threads"],
        again=other_folds(len(target), divide, task["seed"]),
    )
    race = Race(
        field,
        AutoMLSettings(seconds=task["seconds"], metric=metric),
        [Candidate(key, vary_inputs=tuple(SEARCHED)) for key in RACERS if key in keys],
        Silent(),
        began=began,
    )
    best = race.run()
    assert best is not None
    model = fit_pipeline(best.spec, features, target, columns, problem, task["seed"], threads=task["threads"])
    seconds = time.monotonic() - began
    answers = predict(model, coerce_frame(test, columns), None)
    if answers.probabilities is None:
        found = pd.DataFrame({"value": answers.values})
    else:
        found = pd.DataFrame(answers.probabilities, columns=answers.classes)
    found.to_parquet(folder / "answers.parquet")
    members = [spec.algorithm for spec, _ in best.spec.members]
    print(json.dumps({"seconds": seconds, "winner": f"{len(race.results)} trials: {', '.join(members)}"}))


main()
