"""Which renderer answers."""

from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation


class AnyFormat(DefaultContentNegotiation):
    """Leaves ``?format=`` to the view: it names a file's format, not a renderer."""

    def filter_renderers(self, renderers: Any, format: str) -> Any:  # noqa: A002  # the base's own name
        """Keep every renderer."""
        return renderers
