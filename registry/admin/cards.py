"""Model cards in the console: the page that shows and sends one, and the one on which words are written."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import mark_safe

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.commands import FormPage
from mlplatform.admin.forms import ConsoleForm, bound, dress
from mlplatform.admin.links import command_url, page_url
from mlplatform.admin.parts import Badge, Button, Facts, Fragment, Link
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability
from registry.cards.html import card_body
from registry.cards.markdown import card_markdown
from registry.cards.sections import LONGEST, SECTIONS, words_of
from registry.models import ModelVersion, RegisteredModel
from registry.services.card_words import words_on, write_words
from registry.services.cards import card_file_html, card_name, card_of

FORM = "as"
SENT = {"markdown": ("md", "text/markdown"), "html": ("html", "text/html")}
INTRO = {
    RegisteredModel: "They stand in the card of every version, but where a version has words of its own.",
    ModelVersion: "They stand in this card in place of the model's. What is left empty is the model's.",
}


class WordsForm(ConsoleForm):
    """A field for each section that people write."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for section in SECTIONS:
            self.fields[section.key] = forms.CharField(
                required=False,
                max_length=LONGEST,
                label=section.title,
                help_text=section.asks,
                widget=forms.Textarea(attrs={"rows": 3}),
            )
        dress(self)


def card_page(page_admin: PlatformModelAdmin, request: HttpRequest, version: ModelVersion) -> HttpResponse:
    """Show the version's card, or send it as a file."""
    form = request.GET.get(FORM, "")
    if form in SENT:
        return _sent(version, form)
    card = card_of(version)
    # Made by registry.cards, which escapes every word.
    shown = Fragment("Card", "admin/parts/card.html", {"card": mark_safe(card_body(card))})  # noqa: S308
    return page_admin.render(
        request,
        "admin/pages/object.html",
        version,
        title=f"Model card of {version}",
        sections=[shown],
        buttons=_buttons(page_admin, request, version),
    )


def words_page(
    page_admin: PlatformModelAdmin, request: HttpRequest, row: RegisteredModel | ModelVersion
) -> HttpResponse:
    """Show each section as it is written on this row, and keep what becomes of it."""

    def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
        write_words(target=row, changes=dict(data), by=by)
        back = command_url(row, "card") if isinstance(row, ModelVersion) else row
        return page_admin.done(request, "The words were saved.", back)

    own = {key: one.text for key, one in words_of(row.card_words).items()}
    page = FormPage(f"Words for the card of {row}", "Save words", intro=INTRO[type(row)])
    form = bound(WordsForm, request, initial=own)
    return page_admin.form_page(request, page=page, form=form, submit=submit, row=row)


def card_facts(row: RegisteredModel | ModelVersion) -> Facts:
    """Return how much of the card is written, and where it is read."""
    words = words_on(row)
    missing = [one.section.title for one in words.values() if not one.written]
    whole = Badge("Every section is written", "good")
    rows: list[tuple[str, Any]] = [
        ("Written", whole if not missing else f"{len(SECTIONS) - len(missing)} of {len(SECTIONS)} sections"),
        ("Nobody has written", missing or None),
    ]
    if isinstance(row, ModelVersion):
        rows.append(("The card", Link("Read it, or take it along", command_url(row, "card"))))
    return Facts(
        "Model card", rows, "What a version is for, what it was measured at, and who answers for it."
    )


def _sent(version: ModelVersion, form: str) -> HttpResponse:
    ending, media_type = SENT[form]
    text = card_markdown(card_of(version)) if form == "markdown" else card_file_html(version)
    answer = HttpResponse(text, content_type=f"{media_type}; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{card_name(version, ending)}"'
    return answer


def _buttons(page_admin: PlatformModelAdmin, request: HttpRequest, version: ModelVersion) -> list[Button]:
    address = command_url(version, "card")
    offered = [
        Button("Back", page_url(version), "arrow_back"),
        Button("Markdown", f"{address}?{FORM}=markdown", "download"),
        Button("HTML", f"{address}?{FORM}=html", "download"),
        Button("Words of this version", command_url(version, "words"), "edit_note", Capability.TRAIN),
        Button("Words of all versions", command_url(version.model, "words"), "edit_note", Capability.TRAIN),
    ]
    return [button for button in offered if page_admin.may(request, button.capability, version)]
