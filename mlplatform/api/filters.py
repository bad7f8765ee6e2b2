"""Filtering lists: a filter that does not exist is an error, not silence."""

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
        filtered: QuerySet[Model] = super().filter_queryset(request, queryset, view)
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
