"""Long work on the database that leaves room for others."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST_BREAK = 1.0  # seconds


@contextmanager
def break_after() -> Iterator[None]:
    """Do a part of long work in the block, then leave the database alone for as long as that took.

    SQLite has one writer, and whoever waits for it looks only now and then whether it is free: without a
    break between two parts, others would hardly ever find it so.
    """
    started = time.monotonic()
    yield
    time.sleep(min(time.monotonic() - started, LONGEST_BREAK))
