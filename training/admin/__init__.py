"""Console pages of how versions come to be."""

from training.admin import evaluation, imports, jobs, loop, schedules

__all__ = ["evaluation", "imports", "jobs", "loop", "schedules"]
