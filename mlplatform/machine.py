"""What the machine has to give."""

import os
from pathlib import Path

CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
MEGABYTE = 1_000_000


def usable_memory_mb() -> int:
    """Return the memory that there is for all processes: of the machine, or of the container where less."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([whole, *_granted()]) // MEGABYTE


def _granted() -> list[int]:
    texts = [Path(name).read_text().strip() for name in CGROUP_LIMITS if Path(name).is_file()]
    return [int(text) for text in texts if text.isdecimal()]
