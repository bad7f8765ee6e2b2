"""Tables of what really happened."""

from feedback.models.outcome import Outcome

__all__ = ["Outcome"]
