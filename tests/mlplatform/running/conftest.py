"""Small real programs in place of the platform's, so that starting and stopping takes a second."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mlplatform.running.programs import Program
from mlplatform.running.stack import Stack, free_port

SCRIPTS = Path(__file__).parent / "programs"


def program(name: str, script: str, *arguments: object, priority: int = 10) -> Program:
    """Return a program that runs one of the scripts in ``programs``."""
    command = (sys.executable, str(SCRIPTS / f"{script}.py"), *map(str, arguments))
    return Program(name, command, priority=priority, stop_seconds=5)


@contextmanager
def stacks_in(folder: Path) -> Iterator[Callable[..., Stack]]:
    """Make stacks on a data folder in the folder; all are stopped at the end."""
    made: list[Stack] = []

    def make(*programs: Program, port: int = 0) -> Stack:
        made.append(Stack(folder / "data", port or free_port(), programs=programs))
        return made[-1]

    yield make
    for stack in made:
        stack.stop()


@pytest.fixture
def make_stack(tmp_path: Path) -> Iterator[Callable[..., Stack]]:
    """Make stacks on a data folder of the test's own."""
    with stacks_in(tmp_path) as make:
        yield make
