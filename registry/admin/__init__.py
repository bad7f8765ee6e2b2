"""Console pages of what exists, what runs, and what it answered."""

from registry.admin import dashboard, datasets, deployments, loop, models, predictions, requests, versions

__all__ = ["dashboard", "datasets", "deployments", "loop", "models", "predictions", "requests", "versions"]
