"""What one job may use: time, memory, processors."""

import resource
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import joblib
import msgspec
from django.conf import settings
from msgspec import Meta
from threadpoolctl import threadpool_limits

from mlplatform.machine import MEGABYTE


class StatedLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A job's own limits, each at most the platform's; left out, the platform's holds."""

    minutes: Annotated[int, Meta(ge=1)] | None = None
    memory_mb: Annotated[int, Meta(ge=50)] | None = None
    cpus: Annotated[int, Meta(ge=1)] | None = None


@dataclass(frozen=True)
class Limits:
    """What a job may use. ``memory_mb`` counts what it takes beyond the libraries that are loaded already."""

    seconds: float
    memory_mb: int
    cpus: int


def highest_limits() -> dict[str, int]:
    """Return the platform's own limits under the names of ``StatedLimits``."""
    return {
        "minutes": settings.TRAINING_TIMEOUT_MINUTES,
        "memory_mb": settings.TRAINING_MEMORY_MB,
        "cpus": settings.TRAINING_THREADS,
    }


def limits_of(config: Mapping[str, Any]) -> Limits:
    """Return the limits of a job with this configuration: its own, never above the platform's."""
    stated = {name: value for name, value in (config.get("limits") or {}).items() if value is not None}
    held = {name: min(stated.get(name, highest), highest) for name, highest in highest_limits().items()}
    return Limits(60.0 * held["minutes"], held["memory_mb"], held["cpus"])


@contextmanager
def limited_threads(cpus: int) -> Iterator[None]:
    """Let every library compute on at most ``cpus`` processors inside the block.

    Two fits that each take every core wait for each other many times longer than they compute. A worker's
    process may not have children, so parallel fits use threads.
    """
    with joblib.parallel_config("threading", n_jobs=cpus), threadpool_limits(cpus):
        yield


@contextmanager
def limited_memory(megabytes: int) -> Iterator[None]:
    """Refuse this process more than so much private memory beyond what it holds already (Linux).

    RLIMIT_DATA counts private writable memory: what numpy and the thread pools of the libraries take. The
    address space (RLIMIT_AS) would count mapped files and reserved room too, many times what is in use.
    An allocation beyond it raises MemoryError where it is asked for, so a search goes on without that trial.
    """
    held = private_memory()
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if held is None:
        yield
        return
    resource.setrlimit(resource.RLIMIT_DATA, (held + megabytes * MEGABYTE, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))


def timeout_text(seconds: float) -> str:
    """Return what is said of a job that takes too long."""
    minutes = f"{seconds / 60:.0f}" if seconds >= 60 else f"{seconds / 60:.1f}"
    return (
        f"The training took longer than {minutes} minutes. Use fewer algorithms, folds or rows, or let your "
        "operator raise ML_TRAINING_TIMEOUT_MINUTES."
    )


def memory_text(megabytes: int) -> str:
    """Return what is said of a job that eats memory."""
    return (
        f"The training needs more than the {megabytes} MB of memory that a job may use. Use fewer rows, "
        "columns or trees, or let your operator raise ML_TRAINING_MEMORY_MB."
    )


def private_memory(pid: int | None = None) -> int | None:
    """Return the private memory, in bytes, that a process (this one) has asked for; None where not told."""
    return _status(pid, "VmData")


def resident_memory(pid: int) -> int | None:
    """Return the memory, in bytes, that a process occupies; None where it is gone or nobody tells."""
    return _status(pid, "VmRSS")


def _status(pid: int | None, name: str) -> int | None:
    try:
        lines = Path(f"/proc/{pid or 'self'}/status").read_text().splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return int(found[0]) * 1024 if found else None
