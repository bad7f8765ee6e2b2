"""Console pages of what really happened, and of personal data."""

from feedback.admin import erasures, loop, outcomes

__all__ = ["erasures", "loop", "outcomes"]
