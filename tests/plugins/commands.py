"""Management commands in a process that is kept: each costs what it does, not seconds of imports."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from tests.plugins.services import ROOT

PROGRAM = (sys.executable, "-m", "tests.plugins.kept_process")


@dataclass(frozen=True)
class Done:
    """How a command ended: its exit code, and what it wrote."""

    code: int
    stdout: str
    stderr: str


class Commands:
    """A process of the platform that runs one command after the other."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def __call__(self, *arguments: str) -> Done:
        """Run ``manage.py`` with these arguments; raises RuntimeError where the process is gone."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        if not (line := self._process.stdout.readline()):
            raise RuntimeError(f"The process that runs the commands ended with code {self._process.wait()}.")
        return Done(**json.loads(line))


@contextmanager
def kept_commands(env: Mapping[str, str]) -> Iterator[Commands]:
    """Keep a process with this environment, and end it when the block is left."""
    with subprocess.Popen(
        PROGRAM, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Commands(process)
