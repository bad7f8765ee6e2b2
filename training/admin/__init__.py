"""Console pages of how versions come to be."""

from training.admin import (
    evaluation,
    explaining,
    imports,
    jobs,
    loop,
    references,
    reproduction,
    schedules,
    sources,
)

__all__ = [
    "evaluation",
    "explaining",
    "imports",
    "jobs",
    "loop",
    "references",
    "reproduction",
    "schedules",
    "sources",
]
