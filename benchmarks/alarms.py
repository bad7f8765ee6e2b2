"""Whether drift alarms keep what they state, and how soon they come: ``python -m benchmarks.alarms``.

Models of six columns (four numbers, two categories) are watched by the platform's own statistics, each by a
reference of its own. First 1,000 single windows of 100 to 10,000 rows without any change, then months of
hourly checks of a window of seven days without any change: the false alarms are counted and held against the
stated rate. Then drifts: the delay of the calibrated rule against that of the classic one, whose constant is
chosen to give as many false alarms on the very same months. Ends with 1 where a bar is missed.
"""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from rich.console import Console
from rich.table import Table
from scipy.stats import norm

from monitoring.statistics.alarms import CLASSIC_SHARE, Divergence, Watch, calibrated
from monitoring.statistics.drift import column_divergence
from registry.tabular.histograms import category_histogram, numeric_histogram

Counts = npt.NDArray[np.int64]
NUMBERS, KINDS = 4, ("a", "b", "c", "d", "e")
SHARES = np.array([0.4, 0.25, 0.2, 0.1, 0.05])
WEEK = 7 * 24
ROWS_OF_REFERENCE = 5_000
VOLUMES = (100, 1_000, 10_000)  # rows in a full window
NEEDED = int(np.ceil(CLASSIC_SHARE * (NUMBERS + 2)))
LASTS = 7 * 24  # hours in which a drift must be found; later counts as so many


@dataclass(frozen=True)
class World:
    """What rows are drawn from: numbers by mean and deviation, categories by their shares and a new one's."""

    mean: float = 0.0
    deviation: float = 1.0
    shares: tuple[float, ...] = tuple(SHARES)
    new: float = 0.0

    def towards(self, other: "World", part: float) -> "World":
        """Return the world that lies between this one and the other."""
        blend = [one + part * (that - one) for one, that in zip(self.shares, other.shares, strict=True)]
        return World(
            self.mean + part * (other.mean - self.mean),
            self.deviation + part * (other.deviation - self.deviation),
            tuple(blend),
            self.new + part * (other.new - self.new),
        )


USUAL = World()
DRIFTS = {
    "mean, by 0.3 deviations": replace(USUAL, mean=0.3),
    "scale, by 1.3": replace(USUAL, deviation=1.3),
    "a new category, 5%": replace(USUAL, new=0.05),
    "shares of categories": replace(USUAL, shares=(0.25, 0.25, 0.2, 0.15, 0.15)),
}


@dataclass
class Model:
    """References of its columns, and counts drawn on their bins. A drift moves three of the four numbers."""

    draw: np.random.Generator

    def __post_init__(self) -> None:
        rows = ROWS_OF_REFERENCE
        numbers = [numeric_histogram(pd.Series(self.draw.normal(size=rows))) for _ in range(NUMBERS)]
        kinds = [
            category_histogram(pd.Series(self.draw.choice(KINDS, rows, p=SHARES), dtype="str"))
            for _ in range(2)
        ]
        self.references: list[dict[str, Any]] = [*numbers, *kinds]

    def counts(self, world: World, rows: int) -> list[Counts]:
        """Return the bins' counts of so many rows of this world, by column."""
        return [self.draw.multinomial(rows, self._chances(place, world)) for place in range(NUMBERS + 2)]

    def _chances(self, place: int, world: World) -> npt.NDArray[np.float64]:
        reference = self.references[place]
        if "edges" in reference:
            mean, deviation = (world.mean, world.deviation) if place < NUMBERS - 1 else (0.0, 1.0)
            below = norm.cdf(reference["edges"], mean, deviation)
            return np.append(np.diff(below, prepend=0.0, append=1.0), [0.0, 0.0])
        known = np.array([world.shares[KINDS.index(name)] for name in reference["categories"]])
        return np.append((1 - world.new) * known / known.sum(), [world.new, 0.0])

    def compared(self, sums: list[Counts]) -> dict[str, Divergence]:
        """Return each column's index, of sums of ``counts``."""
        found = {}
        for place, (reference, counts) in enumerate(zip(self.references, sums, strict=True)):
            current = {"counts": counts[:-2].tolist(), "other": int(counts[-2]), "missing": int(counts[-1])}
            one = column_divergence(reference, current)
            if one is not None:
                found[str(place)] = one
        return found


def main() -> int:
    """Print the tables and return 1 where a bar is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--windows", type=int, default=1_000, help="Windows without change (1,000).")
    parser.add_argument("--months", type=int, default=20, help="Months of each volume without change (20).")
    parser.add_argument("--drifts", type=int, default=10, help="Streams of each drift and volume (10).")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    draw = np.random.default_rng(options.seed)
    console = Console()
    missed = windows(console, draw, options.windows)
    calm = list(quiet_months(draw, options.months))
    missed |= months(console, calm)
    missed |= delays(console, draw, options.drifts, same_rate(calm))
    return 1 if missed else 0


def windows(console: Console, draw: np.random.Generator, count: int) -> bool:
    """Judge single windows without change; tell whether the share of alarms is off by more than two."""
    table = Table("stated a month", "expected alarms", "alarms", "bar", title=f"{count:,} windows, no change")
    watch, missed = Watch(7, 15), False
    stated = (1.0, 4.0, 16.0)
    alarms, expected = dict.fromkeys(stated, 0), dict.fromkeys(stated, 0.0)
    for _ in range(count):
        model, rows = Model(draw), int(10 ** draw.uniform(2, 4))
        found = model.compared(model.counts(USUAL, rows))
        for allowed in stated:
            judged = calibrated(found, watch, allowed)
            alarms[allowed] += judged.alarm
            expected[allowed] += judged.rate or 0.0
    for allowed in stated:
        held = expected[allowed] / 2 <= alarms[allowed] <= 2 * expected[allowed]
        missed |= not held
        table.add_row(f"{allowed:g}", f"{expected[allowed]:.1f}", str(alarms[allowed]), told(held))
    console.print(table)
    return missed


@dataclass
class Month:
    """One model's checks over a month: its rows a window, when it was in alarm, and the classic score."""

    rows: int
    alarm: list[bool]
    classic: list[float]


def quiet_months(draw: np.random.Generator, count: int) -> Iterator[Month]:
    """Watch models for a month in which nothing changes."""
    for rows in VOLUMES:
        for _ in range(count):
            model = Model(draw)
            made = Month(rows, [], [])
            for found in checks(model, draw, rows, [USUAL] * (WEEK + 30 * 24)):
                watched(made, found)
            yield made


def checks(
    model: Model, draw: np.random.Generator, rows: int, worlds: Iterable[World]
) -> Iterator[dict[str, Divergence]]:
    """Draw hour by hour and compare the last seven days, from the first full window on."""
    hours: list[list[Counts]] = []
    sums: list[Counts] = []
    for world in worlds:
        hours.append(model.counts(world, draw.poisson(rows / WEEK)))
        sums = [one + other for one, other in zip(sums, hours[-1], strict=True)] if sums else hours[-1]
        if len(hours) > WEEK:
            sums = [one - other for one, other in zip(sums, hours[-WEEK - 1], strict=True)]
        if len(hours) >= WEEK:
            yield model.compared(sums)


def watched(month: Month, found: dict[str, Divergence]) -> None:
    """Add one check to the month. The classic rule alarms where this many scores exceed its constant."""
    standing = bool(month.alarm and month.alarm[-1])
    month.alarm.append(calibrated(found, Watch(7, 60), 1.0, standing=standing).alarm)
    month.classic.append(sorted(one.score for one in found.values())[-NEEDED])


def months(console: Console, calm: list[Month]) -> bool:
    """Count the alarms of quiet months; tell whether they are off by more than two."""
    table = Table("rows a window", "months", "alarms", "alarms a month", "bar", title="Months, no change")
    missed = False
    for rows in (*VOLUMES, None):
        of = [month for month in calm if rows in (month.rows, None)]
        alarms = sum(begun(month.alarm) for month in of)
        # A single volume has too few months to be held against the bar; all of them together are.
        held = len(of) / 2 <= alarms <= 2 * len(of)
        missed |= rows is None and not held
        shown = told(held) if rows is None else ""
        table.add_row(
            f"{rows:,}" if rows else "all", str(len(of)), str(alarms), f"{alarms / len(of):.2f}", shown
        )
    console.print(table)
    return missed


def begun(alarm: Iterable[bool]) -> int:
    """Count how often an alarm began anew, a day or more after the last."""
    count, last = 0, -25
    for hour, on in enumerate(alarm):
        count += on and hour - last > 24
        last = hour if on else last
    return count


def same_rate(calm: list[Month]) -> float:
    """Return the classic rule's smallest constant with at most as many false alarms as ours."""
    wanted = sum(begun(month.alarm) for month in calm)
    low, high = 0.0, max(max(month.classic) for month in calm)
    for _ in range(30):
        middle = (low + high) / 2
        many = sum(begun(score > middle for score in month.classic) for month in calm)
        # At a low constant everything is one long alarm: count hours as well.
        hours = sum(score > middle for month in calm for score in month.classic)
        if many > wanted or hours > 0.2 * sum(len(month.classic) for month in calm):
            low = middle
        else:
            high = middle
    return high


def delays(console: Console, draw: np.random.Generator, count: int, constant: float) -> bool:
    """Compare the mean delays of both rules over all volumes; tell whether one of ours is longer."""
    title = (
        f"Hours until the alarm, at most {LASTS}; classic: {NEEDED} of {NUMBERS + 2} above PSI {constant:.3f}"
    )
    table = Table("drift", "onset", *(f"{rows:,} rows" for rows in VOLUMES), "mean", "bar", title=title)
    missed = False
    for name, after in DRIFTS.items():
        for onset, hours in (("sudden", 1), ("over 3 days", 72)):
            ours, theirs = [], []
            for rows in VOLUMES:
                pairs = [delay(draw, rows, after, hours, constant) for _ in range(count)]
                ours.append(np.mean([pair[0] for pair in pairs]))
                theirs.append(np.mean([pair[1] for pair in pairs]))
            held = bool(np.mean(ours) <= np.mean(theirs))
            missed |= not held
            cells = (f"{one:.0f} / {other:.0f}" for one, other in zip(ours, theirs, strict=True))
            table.add_row(name, onset, *cells, f"{np.mean(ours):.0f} / {np.mean(theirs):.0f}", told(held))
    console.print(table)
    return missed


def delay(draw: np.random.Generator, rows: int, after: World, onset: int, constant: float) -> tuple[int, int]:
    """Return after how many hours of drift the calibrated rule alarms, and the classic one."""
    worlds = [USUAL] * WEEK + [USUAL.towards(after, min(1.0, (1 + hour) / onset)) for hour in range(LASTS)]
    ours = theirs = LASTS
    for hour, found in enumerate(checks(Model(draw), draw, rows, worlds)):
        if hour and ours == LASTS and calibrated(found, Watch(7, 60), 1.0).alarm:
            ours = hour
        if hour and theirs == LASTS and sorted(one.score for one in found.values())[-NEEDED] > constant:
            theirs = hour
        if max(ours, theirs) < LASTS:
            break
    return ours, theirs


def told(held: bool) -> str:
    """Return whether a bar is held."""
    return "[green]held[/]" if held else "[red]missed[/]"


if __name__ == "__main__":
    raise SystemExit(main())
