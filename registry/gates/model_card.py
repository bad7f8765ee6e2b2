"""The version's model card says what it must."""

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from registry.cards.sections import BY_KEY, words_of
from registry.gates.base import Evidence, Gate, Parameters, Verdict
from registry.models import ModelVersion

Demanded = Literal[
    "purpose",
    "intended_users",
    "out_of_scope",
    "limits",
    "ethics",
    "contact",
    "licence",
    "metrics",
    "intervals",
    "slices",
    "explanations",
]
USUAL: list[Demanded] = ["purpose", "intended_users", "out_of_scope", "limits", "contact", "metrics"]


class CardParameters(Parameters, frozen=True):
    """Which sections must be filled."""

    sections: Annotated[
        list[Demanded],
        Meta(
            min_length=1,
            max_length=len(BY_KEY) + 4,
            description="What may not be missing. People write purpose, intended_users, out_of_scope, "
            "limits, ethics, contact, licence; measured are metrics, intervals, slices, explanations.",
        ),
    ] = field(default_factory=lambda: list(USUAL))


def check(evidence: Evidence, parameters: CardParameters) -> Verdict:
    """Look whether each demanded section of the card, as it stands now, has something in it."""
    asked = list(dict.fromkeys(parameters.sections))
    there = _filled(evidence.candidate)
    missing = [_title(one) for one in asked if not there[one]]
    numbers = {
        "asked": len(asked),
        "filled": len(asked) - len(missing),
        "missing": [{"section": one} for one in missing],
    }
    if not missing:
        return True, f"The model card has all {len(asked)} sections that are asked for.", numbers
    sentence = (
        f"The model card lacks {', '.join(missing)}: {len(missing)} of {len(asked)} sections asked for."
    )
    return False, f"{sentence} Write what people write on the card's page; train again for figures.", numbers


def _filled(version: ModelVersion) -> dict[str, bool]:
    model, measured = version.model, version.evaluation
    words = words_of(model.card_words, version.card_words, model.description)
    figures: dict[str, Any] = {
        "metrics": version.metrics,
        "intervals": measured.get("intervals"),
        "slices": measured.get("slices"),
        "explanations": version.importance or (measured.get("effects") or {}).get("features"),
    }
    return {key: one.written for key, one in words.items()} | {
        name: bool(one) for name, one in figures.items()
    }


def _title(key: str) -> str:
    return BY_KEY[key].title.lower() if key in BY_KEY else key


MODEL_CARD_COMPLETE = Gate(
    "model_card_complete",
    "Model card complete",
    "The card says what the version is for, where its limits are and whom to ask.",
    check,
    CardParameters,
)
