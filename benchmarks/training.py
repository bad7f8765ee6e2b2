"""What a job adds to its fits, beside a bare scikit-learn script: ``python -m benchmarks.training``.

The job runs as on a worker, from its claim to its registered version, in a process that has the libraries
loaded. The script reads the same file, makes the same fits with as many threads, scores them and stores the
winner. Rounds are interleaved, medians told. Exit code 1 where a bar is missed.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

FOLDER = tempfile.TemporaryDirectory(prefix="mlplatform-benchmark-")
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "mlplatform.settings",
    "ML_DATA_DIR": FOLDER.name,
    "DATABASE_URL": f"sqlite:///{FOLDER.name}/platform.sqlite3",
    "CELERY_BROKER_URL": "filesystem://localhost",
    "ML_LOG_LEVEL": "WARNING",
}

import django  # noqa: E402  # after the environment, as all that follows

django.setup()

import joblib  # noqa: E402
import pandas as pd  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from sklearn.base import clone  # noqa: E402
from sklearn.datasets import make_classification  # noqa: E402
from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score  # noqa: E402
from sklearn.model_selection import StratifiedKFold, train_test_split  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

from mlplatform.tenancy.actors import SYSTEM  # noqa: E402
from mlplatform.tenancy.scope import tenant_scope  # noqa: E402
from mlplatform.tenancy.services.tenants import create_tenant  # noqa: E402
from registry.models import Dataset, RegisteredModel  # noqa: E402
from registry.services.datasets import freeze  # noqa: E402
from registry.services.models import create_model  # noqa: E402
from training.models import JobState  # noqa: E402
from training.services.claims import claim  # noqa: E402
from training.services.jobs import create_job, find_job  # noqa: E402
from training.services.limits import limited_threads  # noqa: E402
from training.services.supervision import supervise  # noqa: E402
from training.services.trainers import shelf  # noqa: E402

COLUMNS, FOLDS, SEED = 20, 5, 42
MOST_RATIO, LARGE = 1.15, 100_000  # of the script's time, from so many rows on
MOST_MORE = 2.0  # seconds, below
ALGORITHMS = ("logistic_regression", "hist_gradient_boosting")


def table(rows: int) -> pd.DataFrame:
    """Return made-up rows: 20 numbers and a class that follows from half of them."""
    inputs, answers = make_classification(
        rows, COLUMNS, n_informative=10, n_clusters_per_class=3, flip_y=0.1, random_state=SEED
    )
    return pd.DataFrame(inputs, columns=[f"x{place}" for place in range(COLUMNS)]).assign(answer=answers)


def script(file: Path) -> None:
    """Do what somebody would without a platform: cross-validate two models, keep the better one."""
    frame = pd.read_parquet(file)
    target = frame.pop("answer").astype(str)
    learnt, held, truth, asked = train_test_split(
        frame, target, test_size=0.2, stratify=target, random_state=SEED
    )
    models = [
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        HistGradientBoostingClassifier(random_state=SEED),
    ]
    parts = list(StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(learnt, truth))
    means = []
    for model in models:
        scores = []
        for train, test in parts:
            fitted = clone(model).fit(learnt.iloc[train], truth.iloc[train])
            scores.append(measured(fitted, learnt.iloc[test], truth.iloc[test]))
        means.append(statistics.mean(scores))
    best = models[means.index(max(means))].fit(learnt, truth)
    measured(best, held, asked)
    joblib.dump(best, file.with_suffix(".joblib"), compress=3)


def measured(model: object, frame: pd.DataFrame, truth: "pd.Series[str]") -> float:
    """Return F1, after the other usual scores."""
    probabilities = model.predict_proba(frame)[:, 1]  # type: ignore[attr-defined]  # a classifier
    labels = model.predict(frame)  # type: ignore[attr-defined]  # a classifier
    roc_auc_score(truth, probabilities)
    accuracy_score(truth, labels)
    return float(f1_score(truth, labels, pos_label="1"))


def job(model: RegisteredModel, dataset: Dataset) -> None:
    """Do a job as a worker does, from its claim on."""
    config = {"algorithms": [{"key": key} for key in ALGORITHMS], "folds": FOLDS, "seed": SEED}
    made = create_job(model=model, dataset=dataset, config=config, by=SYSTEM)
    taken = claim(job_id=made.pk)
    assert taken is not None
    supervise(claim=taken)
    ended = find_job(made.pk)
    if ended.state != JobState.SUCCEEDED:
        raise SystemExit(f"The job {ended.state}: {ended.error}")


def timed(work: Callable[[], None]) -> float:
    """Return how long it takes, in seconds."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def compare(rows: int, rounds: int) -> bool:
    """Measure both on a table of so many rows, print the line, and tell whether the bar is held."""
    frame = table(rows)
    file = Path(FOLDER.name) / f"{rows}.parquet"
    frame.to_parquet(file)
    dataset, _ = freeze(name=f"{rows} rows", frame=frame, by=SYSTEM, origin={"kind": "benchmark"})
    model = create_model(name=f"rows-{rows}", problem_type="classification", target="answer", by=SYSTEM)
    bare, ours = [], []
    for _ in range(rounds):
        with limited_threads(settings.TRAINING_THREADS):
            bare.append(timed(partial(script, file)))
        ours.append(timed(partial(job, model, dataset)))
    alone, whole = statistics.median(bare), statistics.median(ours)
    held = whole <= MOST_RATIO * alone if rows >= LARGE else whole <= alone + MOST_MORE
    bar = f"{MOST_RATIO} x" if rows >= LARGE else f"+ {MOST_MORE} s"
    verdict = "held" if held else "MISSED"
    print(
        f"{rows:>9,} {alone:>9.2f} s {whole:>9.2f} s {whole / alone:>7.2f} x {whole - alone:>+8.2f} s"
        f" {bar:>9}  {verdict}"
    )
    return held


def main() -> int:
    """Measure each size; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 200_000])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    with tenant_scope(create_tenant(slug="benchmark", name="Benchmark", by=SYSTEM)):
        warm = freeze(name="warm", frame=table(200), by=SYSTEM, origin={"kind": "benchmark"})[0]
        job(create_model(name="warm", problem_type="classification", target="answer", by=SYSTEM), warm)
        print(
            f"{settings.TRAINING_THREADS} thread(s), load {os.getloadavg()[0]:.1f}, {options.rounds} rounds"
        )
        print(f"{'rows':>9} {'script':>11} {'job':>11} {'ratio':>9} {'more':>10} {'bar':>9}")
        held = [compare(rows, options.rounds) for rows in options.rows]
    shelf.clear()
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
