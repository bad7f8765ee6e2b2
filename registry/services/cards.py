"""The card of a version, made from its record each time: no copy is kept that could be out of date."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.utils import timezone

from registry.cards.document import Block, Document, Facts, Grid, Part, Prose, Sentence
from registry.cards.html import card_page
from registry.cards.metadata import Indexed, metadata_of
from registry.cards.sections import Words
from registry.models import Alias, Deployment, ModelVersion, PromotionRequest
from registry.services.card_parts import (
    data_part,
    explanations_part,
    groups_part,
    results_of,
    scores_part,
    training_part,
)
from registry.services.card_words import words_on

STYLES = Path(__file__).resolve().parents[2] / "mlplatform" / "static" / "platform" / "card.css"
WHOSE = {"version": "for this version", "model": "for all versions"}
MOST_CHANGES = 50


def card_of(version: ModelVersion) -> Document:
    """Return the version's card: what people wrote, and what its record tells."""
    words = words_on(version)
    return Document(
        title=f"{version.model.name} v{version.number}",
        lead=_lead(version),
        parts=[
            _written("What it is for", words, "purpose", "intended_users", "out_of_scope"),
            data_part(version),
            training_part(version),
            scores_part(version),
            groups_part(version),
            explanations_part(version),
            _written("Limits", words, "limits", "ethics"),
            _approvals(version),
            _written("Contact and licence", words, "contact", "licence"),
            _colophon(version),
        ],
        metadata=_metadata(version, words),
    )


def card_file_html(version: ModelVersion) -> str:
    """Return the card as an HTML page that needs nothing beside it."""
    return card_page(card_of(version), STYLES.read_text("utf-8"))


def card_name(version: ModelVersion, ending: str) -> str:
    """Return what the card's file is called."""
    return f"{version.model.name}-v{version.number}-card.{ending}"


def told_words(words: Mapping[str, Words]) -> dict[str, dict[str, str]]:
    """Return what stands in each section as plain data."""
    return {
        key: {"title": one.section.title, "text": one.text, "by": one.by, "at": one.at, "of": one.whose}
        for key, one in words.items()
    }


def _lead(version: ModelVersion) -> str:
    names = Alias.objects.filter(version=version).order_by("name").values_list("name", flat=True)
    state = (
        f"It answers as {', '.join(names)}."
        if names
        else f"{version.get_status_display()}, it does not answer."
    )
    return f"It {version.model.purpose}, by {version.algorithm.replace('_', ' ')}. {state}"


def _metadata(version: ModelVersion, words: Mapping[str, Words]) -> dict[str, Any]:
    problem = version.model.problem
    return metadata_of(
        Indexed(
            model=version.model.name,
            problem=problem.key,
            problem_title=problem.title,
            algorithm=version.algorithm,
            licence=words["licence"].text,
            data=version.dataset.name,
            data_hash=version.dataset.content_hash,
            results=results_of(version),
        )
    )


def _written(title: str, words: Mapping[str, Words], *keys: str) -> Part:
    return Part(title, [_prose(words[key]) for key in keys])


def _prose(words: Words) -> Block:
    if not words.written:
        return Sentence(f"{words.section.title}: nobody has written this yet.", missing=True)
    if words.whose == "description":
        return Prose(words.section.title, words.text, "The model's description.")
    note = f"Written by {words.by} on {words.at[:10]}, {WHOSE[words.whose]}."
    return Prose(words.section.title, words.text, note)


def _approvals(version: ModelVersion) -> Part:
    changes = list(Deployment.objects.filter(version=version).order_by("created_at", "pk")[:MOST_CHANGES])
    asked = list(PromotionRequest.objects.filter(version=version).order_by("created_at", "pk")[:MOST_CHANGES])
    blocks: list[Block] = []
    if changes:
        rows = [
            [_moment(one.created_at), one.get_action_display(), one.alias, one.actor, one.reason, _gates(one)]
            for one in changes
        ]
        blocks.append(Grid(["When", "What", "Name", "By", "Why", "Gates"], rows, "What was done with it"))
    if asked:
        rows = [
            [
                _moment(one.created_at),
                one.requested_by,
                one.comment,
                one.get_state_display(),
                one.decided_by or "–",
                one.decision or "–",
            ]
            for one in asked
        ]
        columns = ["Proposed", "By", "Comment", "State", "Decided by", "Why"]
        blocks.append(Grid(columns, rows, "Proposals"))
    blocks += _verdicts(changes)
    missing = Sentence("Nobody has proposed or deployed it yet.", missing=True)
    return Part("Approvals", blocks or [missing])


def _verdicts(changes: list[Deployment]) -> list[Block]:
    judged = next((one for one in reversed(changes) if one.gates), None)
    if judged is None:
        return []
    rows = [
        [gate["title"], "passed" if gate["passed"] else "failed", gate["detail"]] for gate in judged.gates
    ]
    title = f"What the gates said on {judged.created_at:%Y-%m-%d}"
    return [Grid(["Gate", "Verdict", "Why"], rows, title)]


def _gates(change: Deployment) -> str:
    failed = [gate["title"] for gate in change.gates if not gate["passed"]]
    if failed:
        return f"passed over: {', '.join(failed)}"
    return f"{len(change.gates)} passed" if change.gates else "–"


def _colophon(version: ModelVersion) -> Part:
    said = (
        "Figures, dates and approvals come from the platform's record of this version, which nobody writes. "
        "Words stand under the name of whoever wrote them."
    )
    rows = [
        ("Made", f"{timezone.now():%Y-%m-%d %H:%M} UTC"),
        ("Of", f"{version.model.name} v{version.number}"),
        ("Artefact (SHA-256)", version.artifact_hash),
    ]
    return Part("About this card", [Sentence(said), Facts(rows)])


def _moment(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
