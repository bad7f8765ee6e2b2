"""Processes that keep the libraries loaded and fit one job after another, so that any fit can be stopped.

They are ordinary programs on a pipe. A child of ``multiprocessing`` is forbidden to the processes of
Celery's pool, and one forked after the numerical libraries have made their threads may hang; a program that
is started afresh, kept, and replaced when it had to be killed knows neither trouble.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from django.conf import settings

from training.services.closing import closing
from training.services.limits import resident_memory

COMMAND = (sys.executable, "-m", "training.trainer")
THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
GROWN = 500_000_000  # bytes kept after a job: a trainer that holds on to more is replaced


class TrainerDied(Exception):
    """The process ended by itself; ``code`` as ``Popen.returncode``: negative for a signal."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Trainer:
    """One such process. Orders and replies are lines of JSON."""

    def __init__(self) -> None:
        threads = dict.fromkeys(THREAD_SETTINGS, str(settings.TRAINING_THREADS))
        self._process = subprocess.Popen(
            [*COMMAND, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=settings.BASE_DIR,
            env=os.environ | threads,
            process_group=0,  # Ctrl-C is for the worker to hear
        )
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._pipe("stdout"), selectors.EVENT_READ)
        self._buffer = b""
        self._size: int | None = None  # in bytes, when it was ready
        self._held: int | None = None  # in bytes, when it began its work

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def order(self, order: dict[str, Any]) -> None:
        """Give it work; raises TrainerDied."""
        self._held = self._size and resident_memory(self.pid)
        try:
            self._pipe("stdin").write(json.dumps(order).encode() + b"\n")
            self._pipe("stdin").flush()
        except BrokenPipeError:
            raise self._died() from None

    def reply(self, seconds: float) -> dict[str, Any] | None:
        """Wait for the answer to the order; None where it did not come in time. Raises TrainerDied."""
        while (answer := self._line(seconds)) is not None:
            if "ready" not in answer:
                return answer
            self._size = self._held = resident_memory(self.pid)
        return None

    def _line(self, seconds: float) -> dict[str, Any] | None:
        while b"\n" not in self._buffer:
            if not self._selector.select(seconds):
                return None
            piece = os.read(self._pipe("stdout").fileno(), 65_536)
            if not piece:
                raise self._died()
            self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    @property
    def grown(self) -> int:
        """The memory, in bytes, that it has taken since it began its work."""
        return (resident_memory(self.pid) or 0) - self._held if self._held else 0

    @property
    def is_fit(self) -> bool:
        """Whether it lives and has not grown beyond use."""
        if self._process.poll() is not None:
            return False
        now = resident_memory(self.pid)
        return not (now and self._size and now > self._size + GROWN)

    def kill(self) -> None:
        """End it at once, whatever it does, and all that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self.close()

    def close(self) -> None:
        """Let go of its pipes: an idle one ends by itself."""
        self._selector.close()
        for name in ("stdin", "stdout"):
            with suppress(BrokenPipeError):
                self._pipe(name).close()

    def _pipe(self, name: str) -> Any:
        return getattr(self._process, name)

    def _died(self) -> TrainerDied:
        return TrainerDied(self._process.wait())


class Shelf:
    """The trainers of this process that wait for work."""

    def __init__(self) -> None:
        self._idle: list[Trainer] = []
        self._lock = threading.Lock()

    def keep_warm(self) -> None:
        """Start one that loads the libraries now, where none waits."""
        with self._lock:
            if not any(trainer.is_fit for trainer in self._idle):
                self._idle.append(Trainer())

    def take(self) -> Trainer:
        """Return one for a job."""
        with self._lock:
            while self._idle:
                trainer = self._idle.pop()
                if trainer.is_fit:
                    return trainer
                trainer.kill()
        return Trainer()

    def put_back(self, trainer: Trainer) -> None:
        """Keep it for the next job, or make another one ready in its place."""
        fit = trainer.is_fit
        if not fit:
            trainer.kill()
        with self._lock:
            if fit:
                self._idle.append(trainer)
            elif not self._idle and not closing():
                self._idle.append(Trainer())  # loads while nobody waits

    def clear(self) -> None:
        """End those that wait."""
        with self._lock:
            while self._idle:
                self._idle.pop().kill()


shelf = Shelf()
# A forked process has none of its parent's trainers: two would speak on one pipe.
os.register_at_fork(after_in_child=partial(Shelf.__init__, shelf))


@contextmanager
def borrowed() -> Iterator[Trainer]:
    """Lend a trainer for one job; one that the block left in the middle of its work is killed."""
    trainer = shelf.take()
    try:
        yield trainer
    except BaseException:
        trainer.kill()
        raise
    finally:
        shelf.put_back(trainer)
