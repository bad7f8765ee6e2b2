"""An explanation as plain data."""

from typing import Any

from training.services.explaining import Explained


def explanation_data(found: Explained) -> dict[str, Any]:
    """Return the explanation as JSON."""
    told = found.explanation
    return {
        "model": found.version.model.name,
        "version": found.version.number,
        "explained": found.label,
        "method": told.method,
        "base": told.base,
        "answer": told.answer,
        "fidelity": told.fidelity,
        "rows": found.rows,
        "contributions": [{"feature": one.feature, "effect": one.effect} for one in told.contributions],
        "sentences": found.sentences,
    }
