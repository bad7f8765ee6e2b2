"""A CSV file larger than memory should be: ``python -m benchmarks.imports --megabytes 300``.

Makes the file, imports it with the command (read, checked, profiled, sealed) in a process of its own, and
reads it with pandas in another. Prints time and peak memory of both; exits with 1 where the import's peak is
over the bar. 2,000 MB are the most that is taken by default.
"""

import argparse
import os
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
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="imports-") as folder:
        path = Path(folder, "rows.csv")
        make_file(path, options.megabytes * 1_000_000)
        size = path.stat().st_size
        manage = [sys.executable, "manage.py"]
        environment = {**os.environ, "ML_DATA_DIR": f"{folder}/data", "TMPDIR": folder}
        for command in (["migrate", "-v0"], ["create_tenant", "--tenant", "bench", "--name", "Bench"]):
            subprocess.run(
                [*manage, *command], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
            )
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
