"""A batch of 1,000,000 rows against a pandas script: ``python -m benchmarks.batch``.

Both answer the same file with the same pipeline (histogram gradient boosting, 20 numbers) and write all
columns, the answer and the probabilities to a file of the same format. The script reads, predicts and writes
with pandas. The platform takes the file as it takes an upload (sealed), cuts it, answers the pieces by two
workers that are threads of one process, and joins them; its answers are sealed, too. Each contestant is a
process of its own, whose libraries are loaded before the clock starts; the peak is the whole process's
(VmHWM). Rounds are interleaved, medians told. The answers are compared. Exit code 1 where a bar is missed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

COLUMNS, SEED = 20, 42
TENANT, MODEL = "benchmark", "answer"
WORKERS = 2
# Of the script's time, and of its peak memory.
BARS = {"csv": (0.35, 0.75), "parquet": (0.8, 0.6)}
LEARNT_ROWS = 20_000


def environment(folder: str) -> dict[str, str]:
    """Return the settings of a platform that lives in the folder."""
    return {
        "DJANGO_SETTINGS_MODULE": "mlplatform.settings",
        "ML_DATA_DIR": folder,
        "DATABASE_URL": f"sqlite:///{folder}/platform.sqlite3",
        "CELERY_BROKER_URL": "filesystem://localhost",
        "ML_LOG_LEVEL": "WARNING",
        "ML_MAX_UPLOAD_BYTES": "20000000000",
    }


def prepare(folder: Path, rows: int) -> None:
    """Make the platform with its champion, the same pipeline for the script, and the files to answer."""
    import django

    django.setup()
    import joblib
    import pandas as pd
    from django.core.management import call_command
    from sklearn.datasets import make_classification

    from mlplatform.tenancy.actors import SYSTEM
    from mlplatform.tenancy.scope import tenant_scope
    from mlplatform.tenancy.services.tenants import create_tenant
    from registry.services.datasets import freeze
    from registry.services.loading import load_pipeline
    from registry.services.models import create_model
    from registry.services.promotion import promote
    from training.services import execution
    from training.services.claims import claim
    from training.services.jobs import create_job, find_job

    inputs, answers = make_classification(
        rows, COLUMNS, n_informative=10, n_clusters_per_class=3, flip_y=0.1, random_state=SEED
    )
    frame = pd.DataFrame(inputs, columns=[f"x{place}" for place in range(COLUMNS)])
    frame.to_csv(folder / "rows.csv", index=False)
    frame.to_parquet(folder / "rows.parquet", index=False)
    learnt = frame.head(LEARNT_ROWS).assign(answer=[f"class {label}" for label in answers[:LEARNT_ROWS]])
    call_command("migrate", verbosity=0)
    with tenant_scope(create_tenant(name="Benchmark", slug=TENANT, by=SYSTEM)):
        dataset, _ = freeze(name="learnt", frame=learnt, by=SYSTEM, origin={"kind": "benchmark"})
        model = create_model(name=MODEL, problem_type="classification", target="answer", by=SYSTEM)
        config = {"algorithms": [{"key": "hist_gradient_boosting"}], "folds": 2}
        job = create_job(model=model, dataset=dataset, by=SYSTEM, config=config)
        taken = claim(job_id=job.pk)
        assert taken is not None
        execution.run(claim=taken)
        version = find_job(job.pk).version
        assert version is not None
        promote(model=model, version=version, by=SYSTEM, reason="benchmark", override=True)
        joblib.dump(load_pipeline(version), folder / "model.joblib")


def script(folder: Path, form: str) -> dict[str, Any]:
    """Do what somebody would without a platform."""
    import joblib
    import pandas as pd
    import sklearn.ensemble  # noqa: F401  # loaded before the clock starts, as the platform's is

    source, target = folder / f"rows.{form}", folder / f"script.{form}"
    started = time.perf_counter()
    model = joblib.load(folder / "model.joblib")
    frame = pd.read_csv(source) if form == "csv" else pd.read_parquet(source)
    shares = model.predict_proba(frame)
    labels = model.classes_[shares.argmax(axis=1)]
    frame["prediction"] = labels
    for place, label in enumerate(model.classes_):
        frame[f"p_{label}"] = shares[:, place]
    if form == "csv":
        frame.to_csv(target, index=False)
    else:
        frame.to_parquet(target, index=False)
    return told(time.perf_counter() - started)


def platform(folder: Path, form: str) -> dict[str, Any]:
    """Do it by a batch job."""
    import django

    django.setup()
    from mlplatform.tenancy.actors import SYSTEM
    from mlplatform.tenancy.scope import tenant_scope
    from mlplatform.tenancy.services.tenants import find_tenant
    from registry.services.models import find_model
    from training import tasks  # noqa: F401  # what a worker loads
    from training.services.batch_options import Options
    from training.services.batches import create_batch, fetch_answers, find_batch

    tenant = find_tenant(TENANT)
    with tenant_scope(tenant):
        started = time.perf_counter()
        job = create_batch(
            model=find_model(MODEL),
            by=SYSTEM,
            options=Options(keep_all=True),
            file=folder / f"rows.{form}",
            filename=f"rows.{form}",
            form=form,
        )
        workers = [threading.Thread(target=worker, args=(tenant, job.pk)) for _ in range(WORKERS)]
        for one in workers:
            one.start()
        for one in workers:
            one.join()
        result = told(time.perf_counter() - started)
        job = find_batch(job.pk)
        assert job.state == "succeeded", job.error
        started = time.perf_counter()
        with (folder / f"platform.{form}").open("wb") as file:
            file.writelines(fetch_answers(job=job, by=SYSTEM).lines)
        return result | {"fetched": time.perf_counter() - started, "engine": job.engine}


def worker(tenant: Any, job_id: int) -> None:
    """Do parts until the batch has ended, as a worker does that gets its messages at once."""
    from django.db import connection

    from mlplatform.tenancy.scope import tenant_scope
    from training.models import BatchJob
    from training.services import batch_work
    from training.services.batch_turns import claim_own_part

    with tenant_scope(tenant):
        while BatchJob.objects.get(pk=job_id).is_active:
            taken = claim_own_part()
            if taken is None:
                time.sleep(0.005)
            else:
                batch_work.work(claim=taken)
    connection.close()


def told(seconds: float) -> dict[str, Any]:
    """Return the time and the most memory that this process has occupied."""
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return {"seconds": seconds, "megabytes": peak / 1000}


CONTESTANTS = {"script": script, "platform": platform}


def measured(contestant: str, folder: Path, form: str) -> dict[str, Any]:
    """Run one contestant in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.batch", "--contestant", contestant, "--folder", str(folder)]
    done = subprocess.run(
        [*command, "--form", form], capture_output=True, text=True, check=False, env={**os.environ}
    )
    if done.returncode:
        raise SystemExit(f"{contestant} failed:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def agreement(folder: Path, form: str) -> float:
    """Return the share of rows whose label is the same in both files."""
    import pandas as pd

    read = pd.read_csv if form == "csv" else pd.read_parquet
    options: dict[str, Any] = {"usecols": ["prediction"]} if form == "csv" else {"columns": ["prediction"]}
    ours, theirs = (read(folder / f"{name}.{form}", **options)["prediction"] for name in CONTESTANTS)
    assert len(ours) == len(theirs)
    return float((ours.to_numpy() == theirs.to_numpy()).mean())


def compare(folder: Path, form: str, rounds: int) -> bool:
    """Measure both in turns and print the table; tell whether the bars hold."""
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTESTANTS}
    for _ in range(rounds):
        for name, found in runs.items():
            found.append(measured(name, folder, form))
    middle = {
        name: [statistics.median(one[what] for one in found) for what in ("seconds", "megabytes")]
        for name, found in runs.items()
    }
    ratios = [ours / theirs for ours, theirs in zip(middle["platform"], middle["script"], strict=True)]
    print(f"{form}: engine {runs['platform'][0]['engine'] or 'original'}, ", end="")
    print(f"{agreement(folder, form):.4%} of the labels are the same; the answers were fetched in ", end="")
    print(f"{runs['platform'][0]['fetched']:.1f} s more")
    for name, (seconds, megabytes) in middle.items():
        print(f"  {name:10}{seconds:8.2f} s{megabytes:10.0f} MB")
    held = True
    for what, ratio, bar in zip(("time", "memory"), ratios, BARS[form], strict=True):
        held = held and ratio <= bar
        print(f"  {what:10}{ratio:8.2f} of the script's; bar {bar}: {'holds' if ratio <= bar else 'MISSED'}")
    return held


def main() -> None:
    """Measure, or be one of the contestants."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=sorted(BARS), help="One format alone.")
    parser.add_argument("--contestant", choices=sorted(CONTESTANTS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--form", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contestant:
        print(json.dumps(CONTESTANTS[options.contestant](options.folder, options.form)))
        return
    with tempfile.TemporaryDirectory(prefix="mlplatform-batch-") as name:
        os.environ |= environment(name)
        prepare(Path(name), options.rows)
        forms = [options.only] if options.only else list(BARS)
        held = [compare(Path(name), form, options.rounds) for form in forms]
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
