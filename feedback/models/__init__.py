"""Tables of what really happened, what people think of answers, and of persons who were erased."""

from feedback.models.erasure import SubjectErasure
from feedback.models.held import HeldOutcome
from feedback.models.history_import import HistoryImport
from feedback.models.outcome import Outcome
from feedback.models.rating import Rating

__all__ = ["HeldOutcome", "HistoryImport", "Outcome", "Rating", "SubjectErasure"]
