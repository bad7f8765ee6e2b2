"""The words that people write into model cards: for all versions of a model, or for one of them."""

from collections.abc import Mapping

from django.utils import timezone

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from registry.cards.sections import BY_KEY, LONGEST, Words, words_of
from registry.errors import InvalidCard
from registry.models import ModelVersion, RegisteredModel

Target = RegisteredModel | ModelVersion


def write_words(*, target: Target, changes: Mapping[str, str | None], by: Actor) -> dict[str, Words]:
    """Write sections of a model's card, or of one version's in their place; an empty text takes one off.

    Sections that are not named stay. Words may be written of a deployed version, too: what is locked is what
    was trained, and limits are often found while it runs. Each section says who wrote it when, and the trail
    keeps what stood there before. Returns what stands in each section now. Raises InvalidCard.
    """
    texts = {key: _text(text) for key, text in changes.items()}
    faults = {key[:60]: [fault] for key, text in texts.items() if (fault := _fault(key, text))}
    if faults:
        raise InvalidCard("Some sections of the card cannot be kept.", fields=faults)
    with tenant_transaction():
        row = type(target).objects.select_for_update().get(pk=target.pk)  # of two changes none is lost
        own = words_of(row.card_words)
        before = {key: own[key].text for key in texts}
        changed = {key: text for key, text in texts.items() if text != before[key]}
        signed = {"by": str(by)[:200], "at": timezone.now().isoformat(timespec="seconds")}
        kept = {key: one for key, one in row.card_words.items() if key not in changed}
        after = kept | {key: {"text": text, **signed} for key, text in changed.items() if text}
        if changed:
            type(target).objects.filter(pk=target.pk).update(card_words=after)
            kind = "model" if isinstance(target, RegisteredModel) else "version"
            told = {key: before[key] for key in changed}
            record(by=by, action=f"{kind}.card_written", target=target, before=told, after=changed)
    target.card_words = after
    return words_on(target)


def words_on(target: Target) -> dict[str, Words]:
    """Return what stands in each section of a model's card, or of a version's."""
    if isinstance(target, RegisteredModel):
        return words_of(target.card_words, description=target.description)
    return words_of(target.model.card_words, target.card_words, target.model.description)


def _text(text: str | None) -> str:
    lines = (text or "").replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip()


def _fault(key: str, text: str) -> str:
    if key not in BY_KEY:
        return f"There is no such section. Choose from: {', '.join(BY_KEY)}."
    if len(text) > LONGEST:
        return f"It has {len(text):,} characters; at most {LONGEST:,} fit. Shorten it, or link to a document."
    if not all(line.isprintable() for line in text.split("\n")):
        return "It holds control characters. Remove them."
    return ""
