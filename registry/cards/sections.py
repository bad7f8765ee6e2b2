"""What people write into a card: the sections there are, and whose words stand in each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

LONGEST = 5_000  # characters of a section
SIGNED = ("text", "by", "at")


@dataclass(frozen=True)
class Section:
    """One section that people write: ``asks`` says what belongs there."""

    key: str
    title: str
    asks: str


SECTIONS = (
    Section("purpose", "Purpose", "What the answers are for: which decision or work they serve."),
    Section("intended_users", "Intended users", "Who is meant to use the answers, and what they must know."),
    Section(
        "out_of_scope", "Out-of-scope use", "What it must not be used for, and for whom it was not made."
    ),
    Section("limits", "Limits", "Where it is known to be weak, and what it was never tried on."),
    Section(
        "ethics", "Ethical considerations", "Who may be harmed by a wrong answer, and what is done for them."
    ),
    Section("contact", "Contact", "Who answers questions, and who is to be told when something is wrong."),
    Section(
        "licence",
        "Licence",
        "Under what terms it may be used: an identifier such as apache-2.0, or the terms in words.",
    ),
)
BY_KEY = {section.key: section for section in SECTIONS}
Whose = Literal["version", "model", "description", "nobody"]


@dataclass(frozen=True)
class Words:
    """What stands in a section, and who wrote it when; ``whose`` says whether of the version or its model."""

    section: Section
    text: str = ""
    by: str = ""
    at: str = ""
    whose: Whose = "nobody"

    @property
    def written(self) -> bool:
        """Whether there is anything to read."""
        return bool(self.text)


def words_of(
    model: Mapping[str, Any], version: Mapping[str, Any] | None = None, description: str = ""
) -> dict[str, Words]:
    """Each section's words: those of the version, else of its model; of the purpose else the description.

    Args:
        model, version: by section ``{"text", "by", "at"}``, as their columns ``card_words`` hold it.
        description: of the model, in a few words.
    """
    return {one.key: _words(one, model, version or {}, description) for one in SECTIONS}


def _words(section: Section, model: Mapping[str, Any], version: Mapping[str, Any], description: str) -> Words:
    for whose, written in (("version", version), ("model", model)):
        one = written.get(section.key)
        # What arrived with an archive may have any form.
        text, by, at = (str(one.get(name, "")) if isinstance(one, Mapping) else "" for name in SIGNED)
        if text.strip():
            return Words(section, text, by, at, whose)  # type: ignore[arg-type]  # one of two
    if section.key == "purpose" and description.strip():
        return Words(section, description.strip(), whose="description")
    return Words(section)
