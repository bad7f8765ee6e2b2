"""Tables of what really happened, what people think of answers, and of persons who were erased."""

from feedback.models.erasure import SubjectErasure
from feedback.models.held import HeldOutcome
from feedback.models.history_import import HistoryImport
from feedback.models.label import Label, LabelItem
from feedback.models.outcome import Outcome
from feedback.models.quarantine import LabelTally, Quarantine
from feedback.models.rating import Rating
from feedback.models.settings import FeedbackSettings

__all__ = [
    "FeedbackSettings",
    "HeldOutcome",
    "HistoryImport",
    "Label",
    "LabelItem",
    "LabelTally",
    "Outcome",
    "Quarantine",
    "Rating",
    "SubjectErasure",
]
