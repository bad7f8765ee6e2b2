"""What reading a source may cost, and who is asked on the way whether to go on."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from training.errors import SourceDown, SourceRefused

BETWEEN_ASKING = 1.0  # seconds


def _go_on() -> None:
    return None


@dataclass
class Budget:
    """Rows, bytes and seconds that a source may take.

    ``sample`` stops quietly after so many rows, for a preview. ``quote`` says whether errors may repeat the
    source's own words, which may hold values. ``check`` is called often and raises to stop the reading.
    """

    rows: int
    bytes: int
    seconds: float
    sample: int | None = None
    quote: bool = True
    check: Callable[[], None] = _go_on
    rows_taken: int = 0
    bytes_taken: int = 0
    _started: float = field(default_factory=time.monotonic)
    _asked: float = 0.0

    @property
    def is_full(self) -> bool:
        """Whether a preview has its rows."""
        return self.sample is not None and self.rows_taken >= self.sample

    def ask(self) -> None:
        """Ask whether to go on, at most once a second: whoever is asked may look into a database."""
        now = time.monotonic()
        if now - self._asked >= BETWEEN_ASKING:
            self._asked = now
            self.check()

    def left(self) -> float:
        """Return the seconds that are left; raises SourceDown where there are none."""
        left = self.seconds - (time.monotonic() - self._started)
        if left <= 0:
            raise SourceDown(
                f"The source took longer than {self.seconds:g} seconds. Ask for fewer rows. A job or the "
                "command 'sources' waits for up to ML_SOURCE_MAX_SECONDS.",
                code="source_timeout",
            )
        return left

    def take_rows(self, count: int) -> None:
        """Count rows; raises SourceRefused where there are too many."""
        self.ask()
        self.left()
        self.rows_taken += count
        if self.rows_taken > self.rows:
            raise SourceRefused(
                f"The source gives more than {self.rows:,} rows. Ask for fewer, for example those of the "
                "last year, or let the platform's operator raise ML_SOURCE_MAX_ROWS.",
                code="source_too_large",
            )

    def take_bytes(self, count: int) -> None:
        """Count bytes; raises SourceRefused where there are too many."""
        self.bytes_taken += count
        if self.bytes_taken > self.bytes:
            raise SourceRefused(
                f"The source gives more than {self.bytes:,} bytes. Ask for fewer rows or columns, or let the "
                "platform's operator raise ML_SOURCE_MAX_BYTES.",
                code="source_too_large",
            )

    def wait(self, seconds: float) -> None:
        """Wait before trying again, asking meanwhile whether to go on; raises SourceDown."""
        if seconds >= self.left():
            raise SourceDown(
                f"The source asks to wait for {seconds:.0f} seconds, longer than there is time.",
                code="source_timeout",
            )
        until = time.monotonic() + seconds
        while (rest := until - time.monotonic()) > 0:
            threading.Event().wait(min(rest, 0.5))
            self.ask()
