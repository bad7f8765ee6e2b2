"""Console pages of what exists, what runs, and what it answered."""

from registry.admin import (
    aliases,
    dashboard,
    datasets,
    deployments,
    loop,
    models,
    predictions,
    requests,
    versions,
)

__all__ = [
    "aliases",
    "dashboard",
    "datasets",
    "deployments",
    "loop",
    "models",
    "predictions",
    "requests",
    "versions",
]
