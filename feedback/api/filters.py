"""Filters of the outcome list."""

from django_filters import rest_framework as filters

from feedback.models import Outcome


class OutcomeFilter(filters.FilterSet):
    """By model, version, prediction, value, source and time."""

    model = filters.CharFilter(field_name="model__name")
    version = filters.NumberFilter(field_name="prediction__version__number")
    prediction = filters.UUIDFilter(field_name="prediction_id")
    current = filters.BooleanFilter()
    received = filters.IsoDateTimeFromToRangeFilter(field_name="received_at")

    class Meta:
        model = Outcome
        fields = ["model", "version", "prediction", "label", "current", "source"]
