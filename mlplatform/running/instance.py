"""One set of processes for each data folder, made sure of by a lock on its pid file."""

import fcntl
import os
from pathlib import Path
from typing import TextIO

from mlplatform.running.errors import AlreadyRunning

PID_FILE = "serve.pid"


def lock_instance(data_dir: Path) -> TextIO:
    """Return the locked pid file of ``data_dir``, which now holds this process's id.

    The lock is the operating system's and ends with the last process that holds the file open, so that a
    pid file left by a crash never stands in the way. Raises AlreadyRunning where another holds it.
    """
    path = data_dir / "run" / PID_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        raise AlreadyRunning(data_dir, holder) from error
    file.seek(0)
    file.truncate()
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def release_instance(file: TextIO) -> None:
    """Empty the pid file and give up the lock."""
    file.seek(0)
    file.truncate()
    file.close()
