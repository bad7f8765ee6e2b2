"""Console pages of how versions come to be."""

from training.admin import evaluation, imports, jobs, loop, references, reproduction, schedules, sources

__all__ = ["evaluation", "imports", "jobs", "loop", "references", "reproduction", "schedules", "sources"]
