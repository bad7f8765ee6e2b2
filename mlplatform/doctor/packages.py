"""Is the software what the lock file says?"""

import platform
import re
import sys
from importlib import metadata
from pathlib import Path

from django.conf import settings
from packaging.markers import Marker

from mlplatform.doctor.findings import Finding, fine, wrong

OLDEST_PYTHON = (3, 11)
PIN = re.compile(r"^(?P<name>[A-Za-z0-9_.\-]+)==(?P<version>[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\]+?))?\s*\\?$")
SHOWN = 5


def python_version() -> Finding:
    """Look at the interpreter's version."""
    if sys.version_info < OLDEST_PYTHON:
        return wrong("Python", platform.python_version(), "Install Python 3.11 or newer; make run again.")
    return fine("Python", platform.python_version())


def locked_versions() -> Finding:
    """Compare what is installed with requirements.lock."""
    lock: Path = settings.BASE_DIR / "requirements.lock"
    if not lock.exists():
        return wrong("Packages", f"{lock} is missing", "Restore requirements.lock from the repository.")
    pins = locked_pins(lock.read_text(encoding="utf-8"))
    differing = [told for name, version in pins.items() if (told := difference(name, version))]
    if not differing:
        return fine("Packages", f"all {len(pins)} are those of requirements.lock")
    more = f" and {len(differing) - SHOWN} more" if len(differing) > SHOWN else ""
    return wrong(
        "Packages",
        ", ".join(differing[:SHOWN]) + more,
        "Install the locked set: rm -f .venv/.installed && make run",
    )


def locked_pins(lock: str) -> dict[str, str]:
    """Return name and version of each package in a lock file that is meant for this machine."""
    found = (PIN.match(line) for line in lock.splitlines())
    return {
        match["name"]: match["version"]
        for match in found
        if match and (not match["marker"] or Marker(match["marker"]).evaluate())
    }


def difference(name: str, version: str) -> str | None:
    """Say how the installed package differs from the locked version; None where it does not."""
    try:
        installed = metadata.version(name)
    except metadata.PackageNotFoundError:
        return f"{name} {version} is not installed"
    return None if installed == version else f"{name} is {installed}, locked is {version}"
