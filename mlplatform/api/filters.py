"""Filtering lists: a filter that does not exist is an error, not silence."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Model, QuerySet
from django_filters import FilterSet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

if TYPE_CHECKING:  # DRF loads this class before its own views exist
    from rest_framework.views import APIView

PAGE_PARAMETERS = frozenset({"cursor", "limit", "format"})


class StrictFilterBackend(DjangoFilterBackend):
    """django-filter with unknown parameters refused, so a misspelt filter never returns everything."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Model], view: "APIView"
    ) -> QuerySet[Model]:
        """Apply the view's filters; raises ValidationError for an unknown or unreadable one."""
        known = self._known(view, queryset)
        unknown = sorted(set(request.query_params) - known - PAGE_PARAMETERS)
        if unknown:
            hint = f"Unknown filter. Choose from: {', '.join(sorted(known)) or 'none'}."
            raise ValidationError({name: [hint] for name in unknown})
        filterset = self.get_filterset(request, queryset, view)
        if filterset is None:
            return queryset
        if not filterset.is_valid():
            raise ValidationError(filterset.errors)
        _in_utc(filterset.form.cleaned_data)
        filtered: QuerySet[Model] = filterset.qs
        return filtered

    def _known(self, view: "APIView", queryset: QuerySet[Model]) -> set[str]:
        filterset: type[FilterSet] | None = self.get_filterset_class(view, queryset)
        if filterset is None:
            return set()
        form: Any = filterset(data={}, queryset=queryset).form
        names: set[str] = set()
        for name, field in form.fields.items():
            suffixes = getattr(field.widget, "suffixes", None)
            names |= {f"{name}_{suffix}" for suffix in suffixes if suffix} if suffixes else {name}
        return names


def _in_utc(cleaned: dict[str, Any]) -> None:
    """Bring moments into UTC: PostgreSQL takes no offset of sixteen hours or more.

    Raises ValidationError for one that exists in its own time zone but not in UTC.
    """
    for name, value in cleaned.items():
        try:
            if isinstance(value, slice):
                cleaned[name] = slice(_moment_in_utc(value.start), _moment_in_utc(value.stop))
            else:
                cleaned[name] = _moment_in_utc(value)
        except OverflowError as error:
            raise ValidationError({name: ["Must lie in the years 1 to 9999 (UTC)."]}) from error


def _moment_in_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
