"""What a check for drift costs beside Evidently's and NannyML's: ``python -m benchmarks.monitoring``.

Every contestant compares the same two frames of 20 features (16 numbers, 4 categories) in a process and an
environment of its own, rounds interleaved; the medians are told. The platform's check is tried on the rows
(exact Kolmogorov-Smirnov and Wasserstein, and every measure on bins) and on the bins that a version's profile
has already. Ends with 1 where a bar is missed; what cannot be installed is named as missing.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

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
    parser.add_argument("--rows", nargs="*", type=int, default=list(BARS), help="Rows of either frame.")
    parser.add_argument("--rounds", type=int, default=3, help="Interleaved rounds (3).")
    options = parser.parse_args()
    peers = {name: environment(name) for name in PACKAGES}
    missed = False
    for rows in options.rows:
        found = measured(rows, options.rounds, {name: it for name, it in peers.items() if it})
        missed |= told(rows, found, [name for name, it in peers.items() if it is None])
    return 1 if missed else 0


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


def frames(rows: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two frames of 16 numbers of different shapes and 4 categories; a quarter of the columns has moved."""
    rng = np.random.default_rng(0)

    def made(moved: float) -> pd.DataFrame:
        kinds = (rng.normal, rng.exponential, rng.lognormal, rng.standard_t)
        columns: dict[str, object] = {}
        for place in range(16):
            draw = kinds[place % 4]
            values = draw(5, size=rows) if draw is rng.standard_t else draw(size=rows)
            columns[f"x{place}"] = values + (moved if place % 4 == 0 else 0)
        for place in range(4):
            chances = np.arange(1, 9) + (10 * moved if place == 0 else 0) * np.arange(8)[::-1]
            columns[f"kind{place}"] = rng.choice(list("abcdefgh"), size=rows, p=chances / chances.sum())
        return pd.DataFrame(columns)

    return made(0), made(0.1)


def measured(rows: int, rounds: int, peers: dict[str, Path]) -> dict[str, Measured]:
    """Let every contestant compare the same frames, one round after the other."""
    found = {name: Measured() for name in (EXACT, BINS, *peers)}
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / name) for name in ("reference.parquet", "current.parquet")]
        for frame, path in zip(frames(rows), paths, strict=True):
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
