"""Whether this worker is being stopped: what it was doing is then handed back, and another takes it."""

import mmap

# Shared with the pool's processes, which are forked after this module is imported; a signal to the worker
# reaches its first process alone.
_flag = mmap.mmap(-1, 1)


def close_down() -> None:
    """Note that the worker is to end, for all processes of its pool."""
    _flag[0] = 1


def open_again() -> None:
    """Note that the worker works."""
    _flag[0] = 0


def closing() -> bool:
    """Tell whether the worker is to end."""
    return _flag[0] == 1
