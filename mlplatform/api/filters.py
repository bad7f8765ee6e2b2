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
        _check_times(filterset.form.cleaned_data)
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


def _check_times(cleaned: dict[str, Any]) -> None:
    """Refuse moments that exist in their own time zone but not in UTC, in which the database keeps them."""
    for name, value in cleaned.items():
        for moment in (value.start, value.stop) if isinstance(value, slice) else (value,):
            try:
                if isinstance(moment, datetime):
                    moment.astimezone(UTC)
            except OverflowError as error:
                raise ValidationError({name: ["Must lie in the years 1 to 9999 (UTC)."]}) from error
