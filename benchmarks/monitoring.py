"""What a check for drift costs beside Evidently's and NannyML's: ``python -m benchmarks.monitoring``.

Every contestant compares the same two frames of 20 features (16 numbers, 4 categories) in a process and an
environment of its own, rounds interleaved; the medians are told. The platform's check is tried on the rows
(exact Kolmogorov-Smirnov and Wasserstein, and every measure on bins) and on the bins that a version's profile
has already. What works on stored predictions (a whole check task, rolling up, a new model's first rows) is
measured by ``benchmarks.stored``. ``--quick`` tries all of it with few rows, and judges nothing by them. Ends
with 1 where a bar is missed; what cannot be installed is named as missing.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.frames import moved_pair

ROOT = Path(__file__).resolve().parent.parent
RIVALS = ROOT / "benchmarks" / "rivals"
ENVIRONMENTS = Path(tempfile.gettempdir()) / "mlplatform-benchmark-drift"
PACKAGES = {"Evidently": "evidently", "NannyML": "nannyml"}
EXACT, BINS = "ours, exact", "ours, on bins"
# By rows: how many times faster than the peer each of ours has to be.
BARS = {
    100_000: (
        (EXACT, "Evidently", 20),
        (EXACT, "NannyML", 7),
        (BINS, "Evidently", 60),
        (BINS, "NannyML", 20),
    ),
    1_000_000: (
        (EXACT, "Evidently", 25),
        (EXACT, "NannyML", 6),
        (BINS, "Evidently", 90),
        (BINS, "NannyML", 20),
    ),
}

QUICK_ROWS = 5_000
QUICK_STORED = ("--stored", "5000", "20000", "--counted", "10000", "--rounds", "3")
CHECK_MS, GROWTH, ROLLED_UP, EVERYTHING_MS = 150, 1.2, 20_000, 100


@dataclass
class Measured:
    """One contestant's rounds."""

    seconds: list[float] = field(default_factory=list)
    megabytes: float = 0.0

    @property
    def median(self) -> float:
        """The seconds of the middle round."""
        return statistics.median(self.seconds)


def main() -> int:
    """Print the tables and return 1 where a bar is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="Few rows everywhere.")
    parser.add_argument("--rows", nargs="*", type=int, help="Rows of either frame (100,000 and 1,000,000).")
    parser.add_argument("--rounds", type=int, default=3, help="Interleaved rounds (3).")
    parser.add_argument("--only", choices=("frames", "stored"), help="Measure this part alone.")
    parser.add_argument("--database", default="", help="DATABASE_URL of an empty database; else SQLite.")
    options = parser.parse_args()
    missed = False
    if options.only != "stored":
        sizes = options.rows or ([QUICK_ROWS] if options.quick else list(BARS))
        missed |= of_frames(sizes, 1 if options.quick else options.rounds)
    if options.only != "frames":
        missed |= of_stored(options.database, quick=options.quick)
    return 1 if missed else 0


def of_frames(sizes: list[int], rounds: int) -> bool:
    """Compare frames by every contestant; return whether a bar is missed."""
    peers = {name: environment(name) for name in PACKAGES}
    missed = False
    for rows in sizes:
        found = measured(rows, rounds, {name: it for name, it in peers.items() if it})
        missed |= told(rows, found, [name for name, it in peers.items() if it is None])
    return missed


def of_stored(database: str, *, quick: bool) -> bool:
    """Measure what works on stored predictions; return whether a bar is missed."""
    command = [sys.executable, "-m", "benchmarks.stored", *(QUICK_STORED if quick else ())]
    command += ["--database", database] if database else []
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT)
    found = json.loads(done.stdout.splitlines()[-1])
    kind = "PostgreSQL" if database else "SQLite"
    console, table = Console(width=120), Table(title=f"Stored predictions, {kind}")
    for head in ("", "seconds", "of them processor", "queries"):
        table.add_column(head, justify="left" if not head else "right")
    checks, rolled = found["checks"], found["rolling_up"]
    lines = {f"a check task, {int(size):,} stored": one for size, one in checks.items()}
    lines |= {f"rolling up {rolled['rows']:,} with their outcomes": rolled}
    lines |= {"1,000 new predictions, everything": found["everything"]}
    for name, one in lines.items():
        table.add_row(name, f"{one['seconds']:.3f}", f"{one['processor']:.3f}", str(one.get("queries", "")))
    console.print(table)
    return judged(console, found) and not quick


def judged(console: Console, found: dict[str, Any]) -> bool:
    """Print each bar with its figure; return whether one is missed."""
    seconds = [one["seconds"] for one in found["checks"].values()]
    rolled = found["rolling_up"]
    rate = rolled["rows"] / rolled["seconds"]
    figures = (
        ("a check task, the slowest", 1000 * max(seconds), "ms", CHECK_MS, -1),
        ("most stored against fewest", max(seconds[-1] / seconds[0], 0.0), "x", GROWTH, -1),
        ("rolling up", rate, "predictions a second", ROLLED_UP, 1),
        ("1,000 predictions, everything", 1000 * found["everything"]["seconds"], "ms", EVERYTHING_MS, -1),
    )
    missed = False
    for name, figure, unit, bar, way in figures:
        held = way * figure >= way * bar
        missed |= not held
        word = "at least" if way > 0 else "at most"
        console.print(f"{name}: {figure:,.2f} {unit}, bar {word} {bar:,}: {'held' if held else 'MISSED'}")
    return missed


def environment(name: str) -> Path | None:
    """Return the interpreter of the peer's environment, made where it is not there; None where that fails."""
    folder = ENVIRONMENTS / name.lower()
    python = folder / "bin" / "python"
    if not python.exists():
        uv = str(Path(sys.executable).parent / "uv")
        make = [uv, "venv", "--quiet", "--python", sys.executable, str(folder)]
        install = [uv, "pip", "install", "--quiet", "--python", str(python), PACKAGES[name], "pyarrow"]
        if subprocess.run(make).returncode or subprocess.run(install).returncode:
            return None
    return python


def measured(rows: int, rounds: int, peers: dict[str, Path]) -> dict[str, Measured]:
    """Let every contestant compare the same frames, one round after the other."""
    found = {name: Measured() for name in (EXACT, BINS, *peers)}
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / name) for name in ("reference.parquet", "current.parquet")]
        for frame, path in zip(moved_pair(rows), paths, strict=True):
            frame.to_parquet(path)
        commands = {
            EXACT: [sys.executable, str(RIVALS / "drift_own.py"), *paths, "1", "exact"],
            BINS: [sys.executable, str(RIVALS / "drift_own.py"), *paths, "1", "bins"],
        } | {
            name: [str(python), str(RIVALS / f"drift_{name.lower()}.py"), *paths, "1"]
            for name, python in peers.items()
        }
        for _ in range(rounds):
            for name, command in commands.items():
                told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
                found[name].seconds += told["seconds"]
                found[name].megabytes = max(found[name].megabytes, told["megabytes"])
    return found


def told(rows: int, found: dict[str, Measured], missing: list[str]) -> bool:
    """Print the table; return whether a bar is missed."""
    console = Console(width=120)
    table = Table(title=f"{rows:,} rows against {rows:,}, 20 features")
    for head in ("", "seconds", "peak MB"):
        table.add_column(head, justify="left" if not head else "right")
    for name, one in found.items():
        table.add_row(name, f"{one.median:.3f}", f"{one.megabytes:,.0f}")
    console.print(table)
    missed = False
    for ours, peer, bar in BARS.get(rows, ()):
        if peer in missing:
            continue
        ratio = found[peer].median / found[ours].median
        held = ratio >= bar
        missed |= not held
        console.print(f"{ours} against {peer}: {ratio:.1f} x, bar {bar} x: {'held' if held else 'MISSED'}")
        if ours == EXACT:
            lean = found[ours].megabytes <= found[peer].megabytes
            missed |= not lean
            console.print(f"  no more memory than {peer}: {'held' if lean else 'MISSED'}")
    for name in missing:
        console.print(f"{name} could not be installed: missing.")
    return missed


if __name__ == "__main__":
    sys.exit(main())
