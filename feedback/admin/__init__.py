"""Console pages of what really happened."""

from feedback.admin import loop, outcomes

__all__ = ["loop", "outcomes"]
