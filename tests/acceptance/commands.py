"""Runs one command after the other for a test: ``python -m tests.acceptance.commands``.

Each line of the input is a list of arguments in JSON, each line of the output what came of it. A start of
``manage.py`` takes longer than most commands; nothing else is different.
"""

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

from django.core.management import execute_from_command_line


def main() -> None:
    """Serve until the input ends."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(outcome(json.loads(line))) + "\n")
        sys.stdout.flush()


def outcome(arguments: list[str]) -> dict[str, Any]:
    """Return the exit code and what was printed to either output."""
    out, error, code = io.StringIO(), io.StringIO(), 0
    with redirect_stdout(out), redirect_stderr(error):
        try:
            execute_from_command_line(["manage.py", *arguments])
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return {"code": code, "out": out.getvalue(), "error": error.getvalue()}


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mlplatform.settings")
    main()
