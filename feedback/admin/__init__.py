"""Console pages of what really happened, what people think, and of personal data."""

from feedback.admin import erasures, held, history, labelling, loop, outcomes, quarantines, ratings

__all__ = ["erasures", "held", "history", "labelling", "loop", "outcomes", "quarantines", "ratings"]
