"""A kept process answers as a process of each command's own does."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.plugins.commands import Commands, kept_commands
from tests.plugins.kept_process import exit_code
from tests.plugins.services import ROOT


@pytest.fixture(scope="module")
def environment(
    tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Callable[[Path], Path]
) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("commands")
    database = migrated_sqlite(folder / "platform.sqlite3")
    return os.environ | {"ML_DATA_DIR": str(folder), "DATABASE_URL": f"sqlite:///{database}"}


@pytest.fixture(scope="module")
def commands(environment: dict[str, str]) -> Iterator[Commands]:
    with kept_commands(environment) as commands:
        yield commands


def test_code_and_words_are_those_of_a_process_of_its_own(
    commands: Commands, environment: dict[str, str]
) -> None:
    kept = commands("list_models")  # misused: the parser ends the process
    command = [sys.executable, "manage.py", "list_models"]
    own = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (kept.code, kept.stdout, kept.stderr) == (own.returncode, own.stdout, own.stderr)
    assert kept.code == 2


def test_a_refusal_leaves_the_process_ready_for_the_next_command(commands: Commands) -> None:
    refused = commands("list_models", "--tenant", "nobody", "--json")
    assert (refused.code, refused.stdout) == (1, "")
    assert "There is no tenant 'nobody'" in refused.stderr
    assert commands("shell", "-v0", "-c", "print(6 * 7)").stdout == "42\n"


@pytest.mark.parametrize(("code", "as_number"), [(None, 0), (0, 0), (3, 3), ("gone", 1), ("", 1)])
def test_an_exit_counts_as_it_does_in_a_shell(code: str | int | None, as_number: int) -> None:
    assert exit_code(SystemExit(code)) == as_number


def test_what_a_library_writes_past_python_is_no_answer(commands: Commands) -> None:
    assert commands("shell", "-v0", "-c", "import os; os.write(1, b'noise')").code == 0
    assert commands("shell", "-v0", "-c", "print('clear')").stdout == "clear\n"


def test_a_process_that_is_gone_is_told() -> None:
    command = [sys.executable, "-c", "input(); raise SystemExit(3)"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process, pytest.raises(RuntimeError, match="ended with code 3"):
        Commands(process)("list_models")
