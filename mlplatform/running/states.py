"""The states of the supervised processes, as the supervisor tells them."""

import http.client
import xmlrpc.client
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from supervisor.xmlrpc import SupervisorTransport

RUNNING = "RUNNING"
FAILING = frozenset({"BACKOFF", "EXITED", "FATAL", "UNKNOWN"})
LOST = frozenset({"FATAL", "UNKNOWN"})


@dataclass(frozen=True)
class ProcessState:
    """One process: its name, the supervisor's word for its state, its process id (0 where it has none)."""

    name: str
    state: str
    pid: int
    description: str

    @property
    def running(self) -> bool:
        """Whether it has been up long enough to count as started."""
        return self.state == RUNNING

    @property
    def failing(self) -> bool:
        """Whether it ended without being asked to, be it tried again or not."""
        return self.state in FAILING

    @property
    def lost(self) -> bool:
        """Whether it ended and will not be tried again."""
        return self.state in LOST


def read_states(socket: Path) -> list[ProcessState]:
    """Return the processes' states; empty as long as the supervisor does not answer on ``socket``."""
    transport = SupervisorTransport(None, None, f"unix://{socket}")
    try:
        with xmlrpc.client.ServerProxy("http://localhost", transport=transport) as server:
            rows = cast(Sequence[dict[str, Any]], server.supervisor.getAllProcessInfo())
    except (OSError, http.client.HTTPException, xmlrpc.client.Error):
        return []
    return [ProcessState(row["name"], row["statename"], row["pid"], row["description"]) for row in rows]
