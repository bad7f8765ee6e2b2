"""What the demonstration prints."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

STEPS = 11


class Report:
    """Numbered steps with their figures, and the time that each took."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self._number = 0
        self._start = time.monotonic()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Announce a step, show that it runs, and say how long it took."""
        self._number += 1
        begin = time.monotonic()
        self.console.print(f"\n[bold cyan]{self._number:>2}/{STEPS}[/] [bold]{title}[/]")
        with self.console.status("working ..."):
            yield
        self.console.print(f"      [dim]{time.monotonic() - begin:.1f} s[/]")

    def line(self, text: str) -> None:
        """Print one finding."""
        self.console.print(f"      {text}")

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Print findings as a table."""
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column("     ")
        for column in columns:
            table.add_column(column)
        for row in rows:
            table.add_row("", *(str(cell) for cell in row))
        self.console.print(table)

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start
