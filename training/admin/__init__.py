"""Console pages of how versions come to be."""

from training.admin import imports, jobs, loop, schedules

__all__ = ["imports", "jobs", "loop", "schedules"]
