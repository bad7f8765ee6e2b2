"""Console pages of how versions come to be."""

from training.admin import (
    batches,
    comparing,
    evaluation,
    imports,
    jobs,
    loop,
    references,
    reproduction,
    schedules,
    sources,
    twins,
    wizard,
)

__all__ = [
    "batches",
    "comparing",
    "evaluation",
    "imports",
    "jobs",
    "loop",
    "references",
    "reproduction",
    "schedules",
    "sources",
    "twins",
    "wizard",
]
