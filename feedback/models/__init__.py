"""Tables of what really happened, and of persons who were erased."""

from feedback.models.erasure import SubjectErasure
from feedback.models.outcome import Outcome

__all__ = ["Outcome", "SubjectErasure"]
