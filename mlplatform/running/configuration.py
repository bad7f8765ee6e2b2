"""The supervisor's configuration, written from the list of programs."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from mlplatform.running.programs import Program

# A process that dies at once is tried again after 1, 2, 3 ... seconds: half an hour in all, long
# enough for a database to come back, and then the end of it is reported.
START_RETRIES = 60
LOG_BYTES = "20MB"
LOG_BACKUPS = 3


def supervisor_configuration(
    programs: Sequence[Program], *, root: Path, logs: Path, runtime: Path, socket: Path
) -> str:
    """Return the text of a supervisord configuration file.

    Args:
        root: folder in which the processes start, where ``manage.py`` lies.
        logs: folder of the log files, one for each program.
        runtime: folder for the supervisor's pid file.
        socket: Unix socket through which the supervisor is asked for the processes' states.
    """
    head: dict[str, dict[str, object]] = {
        "unix_http_server": {"file": socket, "chmod": "0700"},
        "supervisord": {
            "nodaemon": "true",
            "logfile": logs / "supervisor.log",
            "logfile_maxbytes": LOG_BYTES,
            "pidfile": runtime / "supervisor.pid",
            "childlogdir": logs,
            "silent": "true",
        },
        "rpcinterface:supervisor": {
            "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
        },
    }
    sections = head | {f"program:{program.name}": _program(program, root, logs) for program in programs}
    return "\n".join(_section(name, options) for name, options in sections.items())


def _program(program: Program, root: Path, logs: Path) -> dict[str, object]:
    return {
        "command": shlex.join(program.command),
        "directory": root,
        "priority": program.priority,
        "autostart": "true",
        "autorestart": "true",
        "startsecs": 2,
        "startretries": START_RETRIES,
        "stopsignal": "TERM",
        "stopwaitsecs": program.stop_seconds,
        # Only the main process is asked to stop: it lets its children finish what they do. Celery's
        # children would die of the signal in the middle of a task. What outlives the grace is killed whole.
        "stopasgroup": "false",
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": log_file(logs, program.name),
        "stdout_logfile_maxbytes": LOG_BYTES,
        "stdout_logfile_backups": LOG_BACKUPS,
    }


def log_file(logs: Path, name: str) -> Path:
    """Return the log file of the program of that name."""
    return logs / f"{name}.log"


def _section(name: str, options: dict[str, object]) -> str:
    # Percent signs begin an expansion in this format, so those of paths are doubled.
    lines = [f"{key}={str(value).replace('%', '%%')}" for key, value in options.items()]
    return "\n".join([f"[{name}]", *lines, ""])
