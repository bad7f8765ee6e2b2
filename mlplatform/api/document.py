"""The OpenAPI document, as it is served."""

from functools import cache
from typing import Any

from django.http import HttpResponse
from django.utils.encoding import force_bytes
from drf_spectacular.settings import spectacular_settings
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class DocumentView(SpectacularAPIView):
    """Serves the document as YAML or JSON.

    It says the same to everybody, and it takes seconds to make: each process makes it once.
    """

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the document in the form that was asked for."""
        form: Any = type(request.accepted_renderer)
        name = f"{spectacular_settings.TITLE}.{form.format}"
        kind = f"{form.media_type}; charset={form.charset}" if form.charset else form.media_type
        headers = {"Content-Disposition": f'inline; filename="{name}"'}
        return HttpResponse(written(form), content_type=kind, headers=headers)


@cache
def document() -> dict[str, Any]:
    """Return the document of every endpoint, whoever may use it."""
    generator: Any = SpectacularAPIView.generator_class
    made: dict[str, Any] = generator().get_schema(request=None, public=True)
    return made


@cache
def written(form: type[BaseRenderer]) -> bytes:
    """Return the document as the renderer writes it."""
    return force_bytes(form().render(document(), form.media_type, {}))
