"""A CSV file larger than memory should be: ``python -m benchmarks.imports --megabytes 300``.

Makes the file, imports it with the command (read, checked, profiled, sealed) in a process of its own, and
reads it with pandas in another. Prints time and peak memory of both; exits with 1 where the import's peak is
over the bar. 2,000 MB are the most that is taken by default.

``--processor`` compares the processor time of both for files of 1,000 rows and of 50 MB instead, in processes
that have the libraries imported, as a server has: what an import costs beside the bare reading.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

BAR_BYTES = 1_500_000_000
ROOT = Path(__file__).parents[1]
BLOCKS, BLOCK_ROWS = 12, 20_000
SMALL_ROWS, LARGE_BYTES, TIMES = 1_000, 50_000_000, 5
PROCESSOR_TIMES = """
import json, sys, time
{before}
taken = []
for path in sys.argv[1:]:
    began = time.process_time()
    {work}
    taken.append(time.process_time() - began)
print(json.dumps(taken))
"""
SETUP = """
import os
from pathlib import Path
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlplatform.settings")
import django
django.setup()
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from training.services.datasets import import_file
scope = tenant_scope(Tenant.objects.get(slug="bench"))
scope.__enter__()
"""
IMPORT = PROCESSOR_TIMES.format(
    before=SETUP, work="assert import_file(name='b', file=Path(path), filename=path, by=SYSTEM)[1]"
)
READ = PROCESSOR_TIMES.format(before="import pandas", work="pandas.read_csv(path, low_memory=False)")
PANDAS = "import sys, pandas; print(len(pandas.read_csv(sys.argv[1], low_memory=False)))"


def make_block(number: int, late: object) -> bytes:
    """Return some rows of numbers, categories, dates and text; ``late`` is the value of one column."""
    draw = np.random.default_rng(number)
    rows = BLOCK_ROWS
    columns: dict[str, object] = {f"x{place}": draw.normal(100, 20, rows).round(4) for place in range(12)}
    columns |= {
        "count": draw.integers(0, 1000, rows),
        "gaps": np.where(draw.random(rows) < 0.1, np.nan, draw.integers(0, 9, rows)),
        "ward": draw.choice(["north", "south", "east", "west"], rows),
        "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(draw.integers(0, 700, rows), "D"),
        "note": [f"seen by nurse {one}, again in {two} days" for one, two in draw.integers(0, 99, (rows, 2))],
        "late": late,
    }
    return pd.DataFrame(columns).to_csv(index=False, header=number == 0).encode()


def make_file(path: Path, size: int) -> None:
    """Write about ``size`` bytes; one column turns from numbers to text in the last rows."""
    blocks = [make_block(number, 1) for number in range(BLOCKS)]
    last = make_block(BLOCKS, "n.k.")
    body = blocks[0].split(b"\n", 1)[1]
    with path.open("wb") as file:
        file.write(blocks[0])
        written, turn = len(blocks[0]), 1
        while written + len(body) + len(last) < size:
            written += file.write(blocks[turn % BLOCKS] if turn % BLOCKS else body)
            turn += 1
        file.write(last)


def make_files(folder: Path) -> tuple[list[Path], list[Path]]:
    """Write small files and large ones, each with other names of columns, so that none is known already."""
    block = make_block(0, 1).split(b"\n", 1)
    small, large = [], []
    for number in range(TIMES):
        header = block[0].replace(b"x", b"x%d_" % number)
        rows = block[1].split(b"\n", SMALL_ROWS)[:SMALL_ROWS]
        small.append(folder / f"small-{number}.csv")
        small[-1].write_bytes(b"\n".join([header, *rows, b""]))
        large.append(folder / f"large-{number}.csv")
        with large[-1].open("wb") as file:
            file.write(header + b"\n" + block[1])
            for turn in range(1, LARGE_BYTES // len(block[1])):
                file.write(make_block(turn % BLOCKS, 1) if turn % BLOCKS else block[1])
    return small, large


def by_processor(folder: Path, environment: dict[str, str]) -> None:
    """Print seconds of processor time, the median but for the first of each size, which warms up."""
    small, large = make_files(folder)
    print(f"{'processor seconds':<22} {'import':>9} {'pandas':>9} {'ratio':>7}")
    paths = [*map(str, small), *map(str, large)]
    taken = {}
    for name, script in (("import", IMPORT), ("pandas", READ)):
        said = subprocess.run(
            [sys.executable, "-c", script, *paths], cwd=ROOT, env=environment, check=True, capture_output=True
        )
        seconds = json.loads(said.stdout)
        taken[name] = [statistics.median(seconds[1:TIMES]), statistics.median(seconds[TIMES + 1 :])]
    for place, size in enumerate((f"{SMALL_ROWS:,} rows", f"{large[0].stat().st_size / 1e6:,.0f} MB")):
        ours, theirs = taken["import"][place], taken["pandas"][place]
        print(f"{size:<22} {ours:9.3f} {theirs:9.3f} {ours / theirs:7.1f}")


def measured(command: list[str], environment: dict[str, str]) -> tuple[float, int]:
    """Run the command; return its seconds and its own peak memory in bytes."""
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"This failed: {' '.join(command)}")
    return time.perf_counter() - began, usage.ru_maxrss * 1024


def main() -> int:
    """Compare, print, and tell by the exit status whether the bar was met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=300)
    parser.add_argument("--folder", type=Path, help="Where there is room for the file and its copies.")
    parser.add_argument(
        "--alone", action="store_true", help="Leave out pandas, which takes several times the file."
    )
    parser.add_argument("--processor", action="store_true", help="Compare processor time of smaller files.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="imports-") as folder:
        manage = [sys.executable, "manage.py"]
        environment = {**os.environ, "ML_DATA_DIR": f"{folder}/data", "TMPDIR": folder}
        for command in (["migrate", "-v0"], ["create_tenant", "--tenant", "bench", "--name", "Bench"]):
            subprocess.run(
                [*manage, *command], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
            )
        if options.processor:
            by_processor(Path(folder), environment)
            return 0
        path = Path(folder, "rows.csv")
        make_file(path, options.megabytes * 1_000_000)
        size = path.stat().st_size
        ours = measured([*manage, "import_dataset", "--tenant", "bench", str(path)], environment)
        rows = {"import, all of it": ours}
        if not options.alone:
            rows["pandas.read_csv"] = measured([sys.executable, "-c", PANDAS, str(path)], environment)
    print(f"CSV of {size / 1e6:,.0f} MB   {'seconds':>9} {'peak MB':>9}")
    for name, (seconds, peak) in rows.items():
        print(f"{name:<22} {seconds:9.1f} {peak / 1e6:9,.0f}")
    print(f"{'bar':<22} {'':9} {BAR_BYTES / 1e6:9,.0f}   {'met' if ours[1] < BAR_BYTES else 'MISSED'}")
    return 0 if ours[1] < BAR_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
