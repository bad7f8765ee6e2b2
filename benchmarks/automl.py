"""Is the automatic search better than FLAML? ``python benchmarks/automl.py --data DIR``.

Each contestant gets the same rows to learn from, the same seconds and two cores, and answers rows that it has
not seen: the platform's search, FLAML in an environment of its own, and histogram gradient boosting tuned by
a randomised search. Scores: area under the ROC curve for two classes, log loss for more, R² for numbers, all
told to the contestants beforehand. Prints the table and ends with 1 where our mean rank is not better than
FLAML's, or where we are worse than tuned boosting by more than one standard error (paired bootstrap over the
test rows) on any table. A contestant that cannot be installed is named as missing, never guessed; one that
fails on a table comes last there.

A whole run takes three budgets and the libraries' start for each table. It may be made in parts: with
``--keep FILE`` each finished table's line goes to the file, and a later run with the same file, budget and
seed shows these lines and goes on with the other tables.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from scipy.stats import rankdata
from sklearn.metrics import log_loss, r2_score, roc_auc_score
from sklearn.model_selection import train_test_split

from benchmarks.tables import RealTable, tables

ROOT = Path(__file__).resolve().parent.parent
OURS, FLAML, BOOSTING = "ours", "FLAML", "tuned boosting"
SCRIPTS = {OURS: "own_fit.py", FLAML: "flaml_fit.py", BOOSTING: "boosting_fit.py"}
RESAMPLES = 500
TEST_SHARE = 0.3
THREADS = 2
GRACE = 5.0  # times the budget, after which a contestant has failed


@dataclass
class Line:
    """One table's scores, higher is better."""

    table: str
    kind: str
    rows: int
    scores: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    winners: dict[str, str] = field(default_factory=dict)
    behind: float = 0.0
    error: float = 0.0


def flaml_python(folder: Path) -> Path | None:
    """The interpreter of an environment with FLAML, made where it is not there; None where that fails."""
    python = folder / "bin" / "python"
    if not python.exists():
        uv = Path(sys.executable).parent / "uv"
        make = [str(uv), "venv", "--quiet", "--python", sys.executable, str(folder)]
        install = [str(uv), "pip", "install", "--quiet", "--python", str(python), "FLAML[automl]", "pyarrow"]
        if subprocess.run(make).returncode or subprocess.run(install).returncode:
            return None
    return python


def answers(name: str, python: Path, table: RealTable, folder: Path, line: Line) -> pd.DataFrame | None:
    """The contestant's answers to the test rows; None, and why on the error stream, where it failed."""
    (folder / "answers.parquet").unlink(missing_ok=True)
    env = {**os.environ, "OMP_NUM_THREADS": str(THREADS), "OPENBLAS_NUM_THREADS": str(THREADS)}
    budget = json.loads((folder / "task.json").read_text())["seconds"]
    script = ROOT / "benchmarks" / "rivals" / SCRIPTS[name]
    try:
        done = subprocess.run(
            [str(python), str(script), str(folder)],
            env=env,
            stdout=subprocess.PIPE,
            text=True,
            timeout=GRACE * budget + 60,
        )
    except subprocess.TimeoutExpired:
        print(f"{name} on {table.name}: no answer in time", file=sys.stderr)
        return None
    if done.returncode:
        print(f"{name} on {table.name}: failed", file=sys.stderr)
        return None
    told = json.loads(done.stdout.strip().splitlines()[-1])
    line.seconds[name], line.winners[name] = told["seconds"], told["winner"]
    return pd.read_parquet(folder / "answers.parquet")


def score(kind: str, truth: np.ndarray, found: np.ndarray, classes: list[str]) -> float:
    """Higher is better; NaN where the rows do not allow it."""
    if kind == "regression":
        return float(r2_score(truth, found))
    if kind == "binary":
        if len(np.unique(truth)) < 2:
            return float("nan")
        return float(roc_auc_score(truth == classes[1], found[:, 1]))
    safe = np.clip(found, 1e-7, 1)
    return -float(log_loss(truth, safe / safe.sum(axis=1, keepdims=True), labels=classes))


def as_array(kind: str, found: pd.DataFrame, classes: list[str]) -> np.ndarray:
    """Values (n,), or probabilities (n, k) in the order of the classes."""
    if kind == "regression":
        return found["value"].to_numpy()
    whole = found.reindex(columns=classes, fill_value=0.0).to_numpy(dtype="float64")
    return np.asarray(whole / whole.sum(axis=1, keepdims=True))


def race(table: RealTable, pythons: dict[str, Path], seconds: int, seed: int) -> Line:
    """Let every contestant learn and answer."""
    stratify = table.target if table.problem == "classification" else None
    split = train_test_split(
        table.features, table.target, test_size=TEST_SHARE, random_state=seed, stratify=stratify
    )
    train, test, target, truth = split
    line = Line(table.name, table.kind, len(train))
    classes = sorted(table.target.unique()) if table.problem == "classification" else []
    found: dict[str, np.ndarray] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        train.assign(target=target).reset_index(drop=True).to_parquet(folder / "train.parquet")
        test.reset_index(drop=True).to_parquet(folder / "test.parquet")
        task = {"kind": table.kind, "seconds": seconds, "threads": THREADS, "seed": seed}
        (folder / "task.json").write_text(json.dumps(task))
        for contestant, python in pythons.items():
            got = answers(contestant, python, table, folder, line)
            if got is not None:
                found[contestant] = as_array(table.kind, got, classes)
                line.scores[contestant] = score(table.kind, truth.to_numpy(), found[contestant], classes)
    if OURS in found and BOOSTING in found:
        line.behind = line.scores[BOOSTING] - line.scores[OURS]
        line.error = paired_error(table.kind, truth.to_numpy(), found[BOOSTING], found[OURS], classes)
    return line


def paired_error(kind: str, truth: np.ndarray, a: np.ndarray, b: np.ndarray, classes: list[str]) -> float:
    """Standard error of the difference of two scores, over resamples of the test rows."""
    rng = np.random.default_rng(0)
    differences = []
    for _ in range(RESAMPLES):
        rows = rng.integers(0, len(truth), len(truth))
        differences.append(
            score(kind, truth[rows], a[rows], classes) - score(kind, truth[rows], b[rows], classes)
        )
    return float(np.nanstd(differences))


def verdict(lines: list[Line], contestants: list[str], console: Console) -> bool:
    """Print table and mean ranks; whether the bar is held."""
    shown = Table(title="Scores on unseen rows, higher is better (log loss: negated)")
    for name in ("table", "kind", "rows", *contestants, "behind boosting", "std. error", "seconds"):
        shown.add_column(name, justify="left" if name in {"table", "kind"} else "right")
    ranks: list[np.ndarray] = []
    lost = []
    for line in lines:
        scores = [line.scores.get(name, -np.inf) for name in contestants]
        ranks.append(rankdata([-value for value in scores]))
        cells = [
            f"{value:.4f} ({rank:g})" if np.isfinite(value) else "failed"
            for value, rank in zip(scores, ranks[-1], strict=True)
        ]
        if OURS not in line.scores or line.behind > line.error:
            lost.append(line.table)
        took = " / ".join(f"{line.seconds.get(name, float('nan')):.0f}" for name in contestants)
        against = [f"{line.behind:+.4f}", f"{line.error:.4f}", took]
        shown.add_row(line.table, line.kind, str(line.rows), *cells, *against)
    console.print(shown)
    mean = dict(zip(contestants, np.mean(ranks, axis=0), strict=True))
    console.print("Mean rank: " + ", ".join(f"{name} {value:.2f}" for name, value in mean.items()))
    ahead = FLAML in mean and mean[OURS] < mean[FLAML]
    if FLAML not in mean:
        console.print("FLAML is missing here, so nothing is said of it.")
    console.print(f"Better than FLAML by mean rank: {'yes' if ahead else 'NO'}")
    console.print(
        f"Worse than tuned boosting by more than one standard error: {', '.join(lost) or 'nowhere'}"
    )
    return ahead and not lost


def kept_lines(path: Path | None, settings: dict[str, int]) -> list[Line]:
    """The lines of earlier runs; raises SystemExit where those had another budget or seed."""
    if path is None or not path.exists():
        return []
    found = []
    for text in path.read_text().splitlines():
        one = json.loads(text)
        if one.pop("settings") != settings:
            raise SystemExit(f"{path} holds lines of another budget or seed. Give another file.")
        found.append(Line(**one))
    return found


def keep(path: Path | None, line: Line, settings: dict[str, int]) -> None:
    """Add the line to the file, where there is one."""
    if path is not None:
        with path.open("a") as file:
            file.write(json.dumps({**asdict(line), "settings": settings}) + "\n")


def contestants(environment: Path, without: list[str]) -> dict[str, Path]:
    """The contestants with their interpreters; FLAML only where it is, or can be, installed."""
    pythons = {OURS: Path(sys.executable), BOOSTING: Path(sys.executable)}
    if FLAML not in without and (python := flaml_python(environment)) is not None:
        pythons[FLAML] = python
    return {name: python for name, python in pythons.items() if name not in without}


def parsed() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="A folder with further tables.")
    parser.add_argument("--seconds", "--budget", type=int, default=60, help="Seconds for each (60).")
    parser.add_argument("--only", nargs="*", default=[], help="Names of the tables wanted.")
    parser.add_argument(
        "--without", nargs="*", default=[], choices=[FLAML, BOOSTING], help="Leave these out."
    )
    parser.add_argument("--seed", type=int, default=0, help="Of the split and of the contestants (0).")
    parser.add_argument("--keep", type=Path, help="A file of finished lines, which are not made again.")
    parser.add_argument(
        "--environment",
        type=Path,
        default=Path(tempfile.gettempdir()) / "mlplatform-benchmark-flaml",
        help="Where FLAML is installed, or is to be.",
    )
    return parser.parse_args()


def main() -> int:
    """Run what the arguments ask for."""
    asked = parsed()
    settings = {"seconds": asked.seconds, "seed": asked.seed}
    lines = [line for line in kept_lines(asked.keep, settings) if not asked.only or line.table in asked.only]
    done = {line.table for line in lines}
    pythons = contestants(asked.environment, asked.without)
    for table in tables(asked.data, set(asked.only)):
        if table.name in done:
            continue
        line = race(table, pythons, asked.seconds, asked.seed)
        keep(asked.keep, line, settings)
        lines.append(line)
        told = ", ".join(f"{name} {value:.4f}" for name, value in line.scores.items())
        print(f"{table.name}: {told}; ours: {line.winners.get(OURS)}", file=sys.stderr, flush=True)
    missing = set(asked.only) - {line.table for line in lines}
    if missing or not lines:
        print(f"There is no table {', '.join(sorted(missing)) or 'at all'}.", file=sys.stderr)
        return 2
    return 0 if verdict(lines, list(pythons), Console(width=170)) else 1


if __name__ == "__main__":
    sys.exit(main())
