"""Waiting for a started platform until it answers, or saying why it does not."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx

from mlplatform.running.configuration import log_file
from mlplatform.running.errors import StartFailed
from mlplatform.running.states import ProcessState

READY_PATH = "/api/v1/health/ready"
POLL_SECONDS = 0.2
SHOWN_LOG_LINES = 15


def is_ready(url: str, headers: Mapping[str, str]) -> bool:
    """Whether the web server at ``url`` says that the platform is ready to work."""
    try:
        # No proxy of the environment: this address is on this machine.
        with httpx.Client(trust_env=False, timeout=5, headers=headers) as client:
            return client.get(url + READY_PATH).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def wait_until_ready(
    read: Callable[[], Sequence[ProcessState]],
    ready: Callable[[], bool],
    *,
    logs: Path,
    seconds: float,
    cancelled: threading.Event,
) -> None:
    """Return when every process runs and ``ready()`` holds, or when ``cancelled`` is set.

    Raises StartFailed as soon as a process ends, or after ``seconds``; the message names the log to read
    and shows its last lines.
    """
    deadline = time.monotonic() + seconds
    while not cancelled.is_set():
        states = read()
        for state in states:
            if state.failing:
                raise StartFailed(ended_message(state, logs))
        if states and all(state.running for state in states) and ready():
            return
        if time.monotonic() > deadline:
            raise StartFailed(_late_message(states, logs, seconds))
        cancelled.wait(POLL_SECONDS)


def ended_message(state: ProcessState, logs: Path) -> str:
    """Say that a process ended, where its log is, and how the log ends."""
    log = log_file(logs, state.name)
    return (
        f"The {state.name} process ended ({state.description}). Its log is {log}; mend what its last lines "
        f"say, or run: python manage.py doctor\n{tail(log)}"
    )


def _late_message(states: Sequence[ProcessState], logs: Path, seconds: float) -> str:
    shown = ", ".join(f"{state.name} {state.state.lower()}" for state in states) or "no process started"
    return (
        f"The server was not ready after {seconds:.0f} seconds ({shown}). Read {log_file(logs, 'web')}, "
        f"or run: python manage.py doctor\n{tail(log_file(logs, 'web'))}"
    )


def tail(log: Path, lines: int = SHOWN_LOG_LINES) -> str:
    """Return the last lines of a log file, or nothing where there is none."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
