"""Strict, typed reading of environment variables.

A value that cannot be understood stops the start: a switch spelt ``ture`` must not silently mean False.
"""

from collections.abc import Mapping
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

TRUE = frozenset({"1", "true", "yes", "on"})
FALSE = frozenset({"0", "false", "no", "off"})


class Environment:
    """Typed access to a mapping of environment variables.

    Every variable ``X`` may also be given as ``X_FILE``, the path of a file that holds the value,
    so that secrets need not stand in the process environment.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def text(self, name: str, default: str | None = None) -> str:
        """Return the variable as text; without a default it must be set."""
        value = self._read(name)
        if value is not None:
            return value
        if default is None:
            raise ImproperlyConfigured(f"{name} is not set. Set it, or {name}_FILE, in the environment.")
        return default

    def optional(self, name: str) -> str | None:
        """Return the variable as text, or None where it is not set."""
        return self._read(name)

    def boolean(self, name: str, default: bool) -> bool:
        """Return a switch; anything but true/false/yes/no/on/off/1/0 is refused."""
        value = self._read(name)
        if value is None:
            return default
        if value.lower() in TRUE:
            return True
        if value.lower() in FALSE:
            return False
        raise ImproperlyConfigured(f"{name}={value!r} is neither true nor false. Use true or false.")

    def integer(self, name: str, default: int, *, minimum: int = 0) -> int:
        """Return a whole number of at least ``minimum``."""
        return int(self._number(name, default, minimum, int, "a whole number"))

    def decimal(self, name: str, default: float, *, minimum: float = 0.0) -> float:
        """Return a number of at least ``minimum``."""
        return float(self._number(name, default, minimum, float, "a number"))

    def items(self, name: str, default: str = "") -> list[str]:
        """Return a comma-separated list, blanks left out."""
        return [item.strip() for item in self.text(name, default).split(",") if item.strip()]

    def path(self, name: str, default: Path) -> Path:
        """Return an absolute path."""
        return Path(self.text(name, str(default))).expanduser().absolute()

    def _number(
        self, name: str, default: float, minimum: float, convert: type[int] | type[float], kind: str
    ) -> float:
        value = self._read(name)
        if value is None:
            return default
        try:
            number = convert(value)
        except ValueError as error:
            raise ImproperlyConfigured(f"{name}={value!r} is not {kind}.") from error
        if not number >= minimum:
            raise ImproperlyConfigured(f"{name}={value!r} is below the smallest value, {minimum}.")
        return number

    def _read(self, name: str) -> str | None:
        if name in self._values:
            return self._values[name]
        file_name = self._values.get(f"{name}_FILE")
        if file_name is None:
            return None
        try:
            return Path(file_name).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE={file_name!r} cannot be read: {error}") from error
