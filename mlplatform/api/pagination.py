"""Pages of lists: cursors, so that deep pages cost no more than the first and no row is shown twice."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldDoesNotExist
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db.models import Field, Model
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request

if TYPE_CHECKING:  # DRF loads this class before its own views exist
    from rest_framework.views import APIView


class NewestFirst(CursorPagination):
    """Newest rows first; ``?limit=`` up to 200 rows a page."""

    ordering: str | tuple[str, ...] = ("-created_at", "-pk")
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200

    def paginate_queryset(
        self, queryset: Any, request: Request, view: "APIView | None" = None
    ) -> list[Any] | None:
        """Return the page; raises ValidationError for a cursor that no page of this list gave out."""
        self._model = queryset.model
        return super().paginate_queryset(queryset, request, view)

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Return the cursor of the request with a position that the database can compare."""
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None:
            first = self.ordering if isinstance(self.ordering, str) else self.ordering[0]
            try:
                position = _field(self._model, first.lstrip("-")).to_python(cursor.position)
                if isinstance(position, datetime):
                    position.astimezone(UTC)
            except (DjangoValidationError, OverflowError, ValueError) as error:
                message = "This is no cursor of this list. Follow next and previous as they were given."
                raise ValidationError({self.cursor_query_param: [message]}) from error
        return cursor


def _field(model: type[Model], name: str) -> "Field[Any, Any]":
    try:
        return model._meta.get_field(name)  # type: ignore[return-value]  # an ordering names a column
    except FieldDoesNotExist:
        return model._meta.pk
