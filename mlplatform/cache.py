"""What is kept in a cache that other programs may reach."""

import json
from typing import Any


class PlainSerializer:
    """Keeps values as JSON: whoever can write to the cache may lie to us then, but can run nothing."""

    def dumps(self, value: Any) -> int | bytes:
        """Return the value as Redis keeps it; whole numbers stay such, so that Redis can count."""
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, kept: bytes) -> Any:
        """Return the value; raises ValueError for what is no JSON."""
        return json.loads(kept)
