"""What a list is asked: rows by their keys, and questions in its address."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_datetime
from unfold.admin import ModelAdmin

from mlplatform.tenancy.refusals import mark_refused

FARTHEST = timedelta(hours=16)  # PostgreSQL takes no moment whose clock is as far from UTC as this


class AskedLists(ModelAdmin):
    """Lists that stand what anybody may send them, with actions of their own and of other parts."""

    def get_action(self, action: Any) -> Any:
        """Return the action of this name; where ``actions`` is a dictionary, others have added to it."""
        added = self.actions.get(action) if isinstance(self.actions, Mapping) else None
        if added is None:
            return super().get_action(action)
        return added, action, getattr(added, "short_description", action)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Refuse moments that the database could not read; the rest is Django's."""
        return not _is_too_far(str(value)) and bool(super().lookup_allowed(lookup, value, request))

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """Run the action on the rows that there are; note where others were asked for."""
        asked = request.POST.getlist(ACTION_CHECKBOX_NAME)
        existing = _existing(queryset, asked)
        if set(asked) - set(existing):
            mark_refused(request)
            sent = request.POST.copy()
            sent.setlist(ACTION_CHECKBOX_NAME, existing)  # what names no row is not passed on
            request.POST = sent  # type: ignore[assignment]  # a form's data may be any such dictionary
        answer: HttpResponse | None = super().response_action(request, queryset)
        return answer


def _is_too_far(text: str) -> bool:
    try:
        moment = parse_datetime(text)
    except ValueError:  # no day of any calendar: for the field to refuse
        return False
    offset = moment.utcoffset() if moment else None
    return offset is not None and abs(offset) >= FARTHEST


def _existing(rows: QuerySet[Any], keys: Iterable[str]) -> list[str]:
    field = rows.model._meta.pk
    readable = []
    for key in keys:
        with suppress(ValidationError, ValueError):  # what is no key at all names no row either
            value = field.to_python(key)
            field.run_validators(value)
            readable.append(value)
    return [str(key) for key in rows.filter(pk__in=readable).values_list("pk", flat=True)]
