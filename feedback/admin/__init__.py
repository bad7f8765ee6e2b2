"""Console pages of what really happened, what people think, and of personal data."""

from feedback.admin import erasures, held, history, loop, outcomes, ratings

__all__ = ["erasures", "held", "history", "loop", "outcomes", "ratings"]
