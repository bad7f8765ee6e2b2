"""The platform's processes as one thing that can be started and stopped."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from mlplatform.running.configuration import supervisor_configuration
from mlplatform.running.errors import ProcessLost, StartFailed
from mlplatform.running.instance import lock_instance, release_instance
from mlplatform.running.ports import LOOPBACK, free_port, reachable_url, refuse_taken_port
from mlplatform.running.programs import Program, platform_programs
from mlplatform.running.readiness import ended_message, is_ready, tail, wait_until_ready
from mlplatform.running.states import ProcessState, read_states

__all__ = ["Stack", "free_port", "running_stack"]

PROJECT_ROOT = Path(__file__).resolve().parent.parent.parent
WATCH_SECONDS = 2.0
READY_SECONDS = 90.0


class Stack:
    """Web server, Celery worker and Celery beat on one data folder, under one supervisor.

    Args:
        data_dir: the folder of the data (``ML_DATA_DIR``); logs go to its ``logs``.
        env: environment variables on top of this process's own.
        programs: what to run; the whole platform where left out.
        allowed_host: the host name to ask for readiness with, where the address itself is not allowed.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int,
        env: Mapping[str, str] | None = None,
        *,
        host: str = LOOPBACK,
        programs: Sequence[Program] | None = None,
        allowed_host: str | None = None,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self.host, self.port = host, port
        self.url = reachable_url(host, port)
        self.logs = self.data_dir / "logs"
        self.env = os.environ | dict(env or {}) | {"ML_DATA_DIR": str(self.data_dir), "PYTHONUNBUFFERED": "1"}
        self.programs = tuple(programs or platform_programs(host, port))
        # Where HTTPS is demanded, the proxy in front says so; asked from here, nobody else does.
        self._headers = {"X-Forwarded-Proto": "https"} | ({"Host": allowed_host} if allowed_host else {})
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._lock: TextIO | None = None
        self._runtime = Path()

    def migrate(self) -> None:
        """Bring the database to this release; raises StartFailed with what the migration said."""
        command = [sys.executable, "manage.py", "migrate", "--noinput", "--verbosity", "0"]
        done = subprocess.run(command, cwd=PROJECT_ROOT, env=self.env, capture_output=True, text=True)
        if done.returncode != 0:
            said = "\n".join(done.stderr.splitlines()[-8:])
            raise StartFailed(
                "The database could not be migrated. Check DATABASE_URL; on PostgreSQL, migrate as the owner "
                f"first.\n{said}"
            )

    def claim(self) -> TextIO:
        """Take the data folder for this stack; its lock is returned, and kept until ``stop``.

        Raises PortTaken, and AlreadyRunning where others work in the same data folder.
        """
        if self._lock is None:
            refuse_taken_port(self.host, self.port)
            self._lock = lock_instance(self.data_dir)
        return self._lock

    def start(self) -> None:
        """Start the supervisor and its processes, without waiting for them; raises what ``claim`` raises."""
        lock = self.claim()
        self.logs.mkdir(parents=True, exist_ok=True)
        # The path of a Unix socket may have some 100 characters: a short folder of our own.
        self._runtime = Path(tempfile.mkdtemp(prefix="mlplatform-"))
        configuration = self._runtime / "supervisor.conf"
        configuration.write_text(
            supervisor_configuration(
                self.programs, root=PROJECT_ROOT, logs=self.logs, runtime=self._runtime, socket=self._socket
            ),
            encoding="utf-8",
        )
        with (self.logs / "supervisor.stderr.log").open("wb") as errors:
            self._supervisor = subprocess.Popen(
                [sys.executable, "-m", "mlplatform.running.supervise", str(configuration)],
                cwd=PROJECT_ROOT,
                env=self.env,
                stdin=subprocess.PIPE,
                stdout=errors,
                stderr=errors,
                # Ctrl-C reaches this process only, which then stops the others in order.
                start_new_session=True,
                # The lock lives as long as any of our processes does.
                pass_fds=[lock.fileno()],
            )

    def wait_until_ready(
        self, seconds: float = READY_SECONDS, cancelled: threading.Event | None = None
    ) -> None:
        """Wait until every process runs and the readiness address answers; raises StartFailed."""
        wait_until_ready(
            self._states_or_fail,
            lambda: is_ready(self.url, self._headers),
            logs=self.logs,
            seconds=seconds,
            cancelled=cancelled or threading.Event(),
        )

    def watch(self, stop: threading.Event) -> None:
        """Return when ``stop`` is set; raise ProcessLost when a process has ended for good."""
        while not stop.wait(WATCH_SECONDS):
            if self._supervisor is None or self._supervisor.poll() is not None:
                raise ProcessLost(
                    f"The supervisor ended. Read {self.logs / 'supervisor.log'}, then start again."
                )
            for state in self.states():
                if state.lost:
                    raise ProcessLost(ended_message(state, self.logs))

    def states(self) -> list[ProcessState]:
        """Return the processes' states; empty as long as the supervisor does not answer."""
        return read_states(self._socket)

    def stop(self) -> None:
        """Stop everything in order (web, beat, worker), each within its grace; harmless when stopped."""
        if self._supervisor is not None:
            self._end_supervisor(self._supervisor)
            self._supervisor = None
            shutil.rmtree(self._runtime, ignore_errors=True)
        if self._lock is not None:
            release_instance(self._lock)
            self._lock = None

    def _end_supervisor(self, supervisor: subprocess.Popen[bytes]) -> None:
        pids = [state.pid for state in self.states() if state.pid]
        if supervisor.stdin is not None:
            supervisor.stdin.close()
        try:
            supervisor.wait(sum(program.stop_seconds for program in self.programs) + 10)
        except subprocess.TimeoutExpired:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
            supervisor.kill()
            supervisor.wait()

    def _states_or_fail(self) -> list[ProcessState]:
        if self._supervisor is not None and self._supervisor.poll() is not None:
            log = self.logs / "supervisor.stderr.log"
            raise StartFailed(f"The supervisor ended at once. Read {log}.\n{tail(log)}")
        return self.states()

    @property
    def _socket(self) -> Path:
        return self._runtime / "supervisor.sock"


@contextmanager
def running_stack(data_dir: Path, port: int, env: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """Migrate, start the whole platform, wait until it is ready, and stop it at the end.

    Raises StartFailed, PortTaken or AlreadyRunning; nothing is left running in any case.
    """
    stack = Stack(data_dir, port, env)
    try:
        stack.claim()
        stack.migrate()
        stack.start()
        stack.wait_until_ready()
        yield stack
    finally:
        stack.stop()
