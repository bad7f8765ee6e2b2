"""Filters of the lists."""

from django.db.models import QuerySet
from django_filters import CharFilter, FilterSet, IsoDateTimeFilter, NumberFilter

from registry.models import ModelVersion, Prediction, RegisteredModel
from registry.services.pseudonyms import entity_pseudonym
from registry.services.searching import search_versions


class ModelFilter(FilterSet):
    """Models by problem type, or by a part of the name."""

    search = CharFilter(field_name="name", lookup_expr="icontains", label="Part of the name")

    class Meta:
        model = RegisteredModel
        fields = ["problem_type"]


class VersionFilter(FilterSet):
    """A model's versions by status and algorithm."""

    class Meta:
        model = ModelVersion
        fields = ["status", "algorithm"]


class FoundVersionFilter(FilterSet):
    """Versions of all models by a search."""

    q = CharFilter(
        method="found", label='A search, for example metrics.f1 > 0.9 and params.algorithm = "knn"'
    )

    class Meta:
        model = ModelVersion
        fields = ["q"]

    def found(self, rows: "QuerySet[ModelVersion]", name: str, value: str) -> "QuerySet[ModelVersion]":
        """Return what the search finds; raises InvalidSearch."""
        return search_versions(value)


class PredictionFilter(FilterSet):
    """Predictions by model, version, answer, case and time."""

    model = CharFilter(field_name="model__name", label="The model's name")
    version = NumberFilter(field_name="version__number", label="The version's number")
    label = CharFilter(label="The predicted class")
    entity_key = CharFilter(method="of_entity", label="The client's own name for the case, or its pseudonym")
    request_id = CharFilter(label="The request's id")
    created_after = IsoDateTimeFilter(field_name="created_at", lookup_expr="gte", label="From this time on")
    created_before = IsoDateTimeFilter(field_name="created_at", lookup_expr="lt", label="Before this time")

    class Meta:
        model = Prediction
        fields = ["model", "version", "label", "entity_key", "request_id", "created_after", "created_before"]

    def of_entity(self, rows: "QuerySet[Prediction]", name: str, value: str) -> "QuerySet[Prediction]":
        """Return the predictions about one case."""
        return rows.filter(entity_key=entity_pseudonym(value))
