"""Console pages of what exists, what runs, and what it answered."""

from registry.admin import (
    aliases,
    dashboard,
    datasets,
    deployments,
    explaining,
    loop,
    models,
    predictions,
    requests,
    retention,
    versions,
)

__all__ = [
    "aliases",
    "dashboard",
    "datasets",
    "deployments",
    "explaining",
    "loop",
    "models",
    "predictions",
    "requests",
    "retention",
    "versions",
]
