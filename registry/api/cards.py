"""Model cards over REST: the words that people write, and the card of each version in three forms."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import PlatformView, StrictSerializer, actor
from mlplatform.tenancy.permissions import Capability
from registry.cards.markdown import card_markdown
from registry.cards.sections import BY_KEY, LONGEST, SECTIONS
from registry.errors import InvalidCard
from registry.models import ModelVersion, RegisteredModel
from registry.services.card_words import words_on, write_words
from registry.services.cards import card_file_html, card_name, card_of, told_words
from registry.services.models import find_model
from registry.services.versions import find_version

ENDINGS = {"markdown": "md", "html": "html"}


class TextRenderer(BaseRenderer):
    """Sends a text as it is; what went wrong is a problem document in JSON all the same."""

    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        """Return the body."""
        return data.encode() if isinstance(data, str) else JSONRenderer().render(data)


class MarkdownRenderer(TextRenderer):
    """Markdown with front matter."""

    media_type, format = "text/markdown", "markdown"


class PageRenderer(TextRenderer):
    """A page that needs nothing beside it."""

    media_type, format = "text/html", "html"


class WordsChange(StrictSerializer):
    """Sections to write; null or an empty text takes one off; the others stay."""

    words = serializers.DictField(
        child=serializers.CharField(max_length=LONGEST, allow_null=True, allow_blank=True),
        allow_empty=False,
        help_text=f"By section its text: {', '.join(BY_KEY)}.",
    )


class WordsBody(serializers.Serializer[Any]):
    """What stands in a section, who wrote it when, and whether of the version, its model or nobody."""

    title = serializers.CharField()
    text = serializers.CharField(allow_blank=True)
    by = serializers.CharField(allow_blank=True)
    at = serializers.CharField(allow_blank=True)
    of = serializers.CharField()


class ModelCardBody(serializers.Serializer[Any]):
    """What is written into the cards of a model's versions."""

    model = serializers.CharField()
    words = serializers.DictField(child=WordsBody())
    missing = serializers.ListField(child=serializers.CharField(), help_text="Sections nobody has written.")


class VersionCardBody(ModelCardBody):
    """A version's card: the words in it, its front matter, and the whole as Markdown."""

    version = serializers.IntegerField()
    metadata = serializers.DictField(help_text="The front matter, as Hugging Face specifies it.")
    markdown = serializers.CharField()


class ModelCardView(PlatformView):
    """The words for the cards of all versions of a model."""

    capabilities = {"get": Capability.VIEW, "patch": Capability.TRAIN}
    of_a_model = True

    @extend_schema(responses=ModelCardBody)
    def get(self, request: Request, name: str) -> Response:
        """Show what is written for all versions."""
        return Response(_body(find_model(name)))

    @extend_schema(request=WordsChange, responses=ModelCardBody)
    def patch(self, request: Request, name: str) -> Response:
        """Write sections, or take them off."""
        model = self.permitted(find_model(name))
        write_words(target=model, changes=self.validated(WordsChange)["words"], by=actor(request))
        return Response(_body(model))


class VersionCardView(PlatformView):
    """The card of a version, made from its record each time."""

    capabilities = {"get": Capability.VIEW, "patch": Capability.TRAIN}
    of_a_model = True
    renderer_classes = [JSONRenderer, MarkdownRenderer, PageRenderer]

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Choose the form by ``format``, else by ``Accept``; an unknown form is refused by its name."""
        asked = request.query_params.get("format")
        known = [renderer.format for renderer in self.renderer_classes]
        if asked is not None and asked not in known and not force:
            raise InvalidCard(f"The card has no form {asked[:40]!r}. Choose from: {', '.join(known)}.")
        return super().perform_content_negotiation(request, force)

    @extend_schema(
        parameters=[
            OpenApiParameter("format", str, enum=["json", *ENDINGS], description="In place of Accept.")
        ],
        responses={
            (200, "application/json"): VersionCardBody,
            (200, "text/markdown"): OpenApiTypes.STR,
            (200, "text/html"): OpenApiTypes.STR,
        },
    )
    def get(self, request: Request, name: str, number: int) -> Response:
        """Send the card: JSON, Markdown with front matter (a README.md of Hugging Face), or a page."""
        version = find_version(find_model(name), number)
        form = request.accepted_renderer.format
        if form not in ENDINGS:
            return Response(_version_body(version))
        text = card_markdown(card_of(version)) if form == "markdown" else card_file_html(version)
        named = f'attachment; filename="{card_name(version, ENDINGS[form])}"'
        return Response(text, headers={"Content-Disposition": named})

    @extend_schema(request=WordsChange, responses={(200, "application/json"): VersionCardBody}, parameters=[])
    def patch(self, request: Request, name: str, number: int) -> Response:
        """Write sections of this version alone, in place of the model's, also once it was deployed."""
        version = find_version(self.permitted(find_model(name)), number)
        write_words(target=version, changes=self.validated(WordsChange)["words"], by=actor(request))
        return Response(_version_body(version))


def _version_body(version: ModelVersion) -> dict[str, Any]:
    card = card_of(version)
    told = {"metadata": dict(card.metadata), "markdown": card_markdown(card)}
    return {**_body(version.model), "version": version.number, **_words(version), **told}


def _body(model: RegisteredModel) -> dict[str, Any]:
    return {"model": model.name, **_words(model)}


def _words(target: RegisteredModel | ModelVersion) -> dict[str, Any]:
    words = words_on(target)
    return {
        "words": told_words(words),
        "missing": [section.key for section in SECTIONS if not words[section.key].written],
    }
