"""How a model answers, in words."""

from registry.models import RegisteredModel
from registry.models.registered_model import LogWriting
from registry.services.answer_counts import answer_counts


def log_words(model: RegisteredModel) -> str:
    """Return when answers are written to the log, and which share of them."""
    writing = LogWriting(model.log_writing).label
    return writing if model.log_share >= 1 else f"{writing}; {model.log_share:.2%} of the answers are kept"


def cache_words(model: RegisteredModel) -> str:
    """Return whether equal rows are answered from memory, and how often that was so."""
    if not model.cache_answers:
        return "no, every row is asked"
    counted = answer_counts(model)
    so_far = f"{counted.cached:,} of {counted.logged:,} logged answers of the last 7 days"
    return f"for {model.cache_seconds:,} seconds; {so_far}"
