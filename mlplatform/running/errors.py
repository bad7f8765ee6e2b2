"""What can go wrong when the processes are started or kept running."""

from pathlib import Path

from mlplatform.errors import Conflict, Unavailable


class PortTaken(Conflict):
    """Something else listens on the address that the web server should have."""

    code = "port_taken"

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"Port {port} on {host} is already in use. Stop the program that holds it, or choose another "
            f"port: make run PORT={port + 1}, or manage.py serve --port {port + 1}."
        )


class AlreadyRunning(Conflict):
    """Another set of processes works in the same data folder."""

    code = "already_running"

    def __init__(self, data_dir: Path, pid: str) -> None:
        super().__init__(
            f"The platform already runs in {data_dir} (process {pid or 'unknown'}). Stop that one first, "
            "or give this one a data folder of its own with ML_DATA_DIR: two schedulers on the same data "
            "would run everything twice."
        )


class StartFailed(Unavailable):
    """A process ended, or the server did not become ready in time."""

    code = "start_failed"


class ProcessLost(Unavailable):
    """A process that ran has ended for good, in spite of restarts."""

    code = "process_lost"
