"""Which answers are kept in the log, where a model keeps a share of them only.

Nobody draws lots: whether an answer is kept follows from its case, or where it has none from the request, by
a hash. So all answers about one case are kept or none is, and a request sent again under its own id meets
the same decision.
"""

import hashlib
from collections.abc import Sequence

from registry.models import RegisteredModel

WHOLE = 2**64


def kept_positions(model: RegisteredModel, entities: Sequence[str], request_id: str) -> list[bool]:
    """Tell for each row whether its answer is kept; ``entities`` are the cases' pseudonyms, or empty."""
    if model.log_share >= 1:
        return [True] * len(entities)
    return [
        is_kept(model.log_share, f"{model.pk}:{entity or f'{request_id}/{position}'}")
        for position, entity in enumerate(entities)
    ]


def is_kept(share: float, name: str) -> bool:
    """Tell whether what bears this name is among the share that is kept, 0 to 1."""
    place = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")
    return place < share * WHOLE


def share_words(model: RegisteredModel) -> str:
    """Return in words what the log does not hold; empty where it holds every answer."""
    if model.log_share >= 1:
        return ""
    return f"The log keeps {model.log_share:.2%} of the answers; what is measured is measured on these."
