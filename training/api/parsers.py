"""Reading uploads."""

from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.parsers import MultiPartParser

from training.services.datasets import refuse_large

FORM_BYTES = 100_000  # what the form itself may add to the file


class UploadParser(MultiPartParser):
    """Multipart forms; a body that announces more than the limit is refused before it is read."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the form and its files; raises FileTooLarge."""
        request = (parser_context or {})["request"]
        # No more than the announced length is ever read, so announcing less gains nothing.
        announced = int(request.META.get("CONTENT_LENGTH") or 0)
        refuse_large(announced - FORM_BYTES, settings.MAX_UPLOAD_BYTES)
        return super().parse(stream, media_type, parser_context)
