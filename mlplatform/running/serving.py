"""The life of a served platform, from start to Ctrl-C."""

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from mlplatform.running.readiness import POLL_SECONDS
from mlplatform.running.stack import Stack

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stop_requests() -> Iterator[threading.Event]:
    """Give an event that Ctrl-C, SIGTERM or a closed terminal sets, in place of ending the process."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in ENDING_SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_child(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str], stop: threading.Event
) -> int | None:
    """Run a command to its end and return its exit code, or None where ``stop`` cut it short."""
    with subprocess.Popen(command, cwd=cwd, env=env) as child:
        while child.poll() is None:
            if stop.wait(POLL_SECONDS):
                child.terminate()
                return None
    return child.returncode


def serve_until_stopped(
    stack: Stack, *, say: Callable[[str], None], when_ready: Callable[[threading.Event], None]
) -> None:
    """Migrate, start, wait until ready, call ``when_ready``, and keep running until asked to stop.

    ``say`` is given a sentence at each step, ``when_ready`` the event that asks it to stop. Raises
    StartFailed, PortTaken, AlreadyRunning or ProcessLost; nothing is left running in any case.
    """
    stack.claim()
    with stop_requests() as stop:
        try:
            say("Preparing the database ...")
            stack.migrate()
            say("Starting web server, worker and scheduler ...")
            stack.start()
            stack.wait_until_ready(cancelled=stop)
            if not stop.is_set():
                when_ready(stop)
            stack.watch(stop)
        finally:
            say("Stopping; running tasks may finish ...")
            stack.stop()
            say("Stopped.")
