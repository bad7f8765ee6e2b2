"""The program that tests/plugins/commands.py keeps: runs management commands one after the other.

Each line of standard input is a list of arguments as JSON. Each line of the answer holds the exit code and
what the command wrote on standard output and standard error, as a shell would have them. A command that
crashes ends the program, with its traceback on the program's own standard error.
"""

import io
import json
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout

from django.core.management import execute_from_command_line
from django.db import close_old_connections


def main() -> None:
    """Answer until standard input ends."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlplatform.settings")
    # The answers have a channel of their own, so that nothing a library prints gets between them.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for line in sys.stdin:
        answers.write(json.dumps(answer(json.loads(line))) + "\n")
        answers.flush()


def answer(arguments: Sequence[str]) -> dict[str, object]:
    """Run one command, and return its exit code and its words."""
    written, complained = io.StringIO(), io.StringIO()
    code = 0
    with redirect_stdout(written), redirect_stderr(complained):
        try:
            execute_from_command_line(["manage.py", *arguments])
        except SystemExit as ended:
            code = exit_code(ended)
    close_old_connections()
    return {"code": code, "stdout": written.getvalue(), "stderr": complained.getvalue()}


def exit_code(ended: SystemExit) -> int:
    """Return the code of a process that ends so: words are written and count as 1, nothing as 0."""
    if ended.code is None or isinstance(ended.code, int):
        return ended.code or 0
    print(ended.code, file=sys.stderr)
    return 1


if __name__ == "__main__":
    main()
