"""Asking for a password where nobody sees it."""

import getpass
import os
import sys
from collections.abc import Callable

from mlplatform.errors import InvalidInput

VARIABLE = "DJANGO_SUPERUSER_PASSWORD"


def asked_password(prompt: Callable[[str], str] = getpass.getpass) -> str:
    """Return the password from the environment, else as it is typed twice; raises InvalidInput."""
    given = os.environ.get(VARIABLE)
    if given:
        return given
    if not sys.stdin.isatty():
        raise InvalidInput(f"Nobody can be asked for a password here. Set {VARIABLE} instead.")
    first, second = prompt("Password: "), prompt("Password (again): ")
    if first != second:
        raise InvalidInput("The two passwords differ. Nothing was changed.")
    return first
