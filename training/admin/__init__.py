"""Console pages of how versions come to be."""

from training.admin import (
    comparing,
    evaluation,
    explaining,
    imports,
    jobs,
    loop,
    references,
    reproduction,
    schedules,
    sources,
    wizard,
)

__all__ = [
    "comparing",
    "evaluation",
    "explaining",
    "imports",
    "jobs",
    "loop",
    "references",
    "reproduction",
    "schedules",
    "sources",
    "wizard",
]
