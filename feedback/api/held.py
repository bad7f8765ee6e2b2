"""Endpoints for what waits for its prediction, and for ratings."""

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from feedback.api.serializers import HeldCountsBody, HeldOutcomeSerializer, RatingSerializer
from feedback.models import HeldOutcome, Rating
from feedback.models.held import HeldState
from feedback.services.holding import held_counts, held_outcomes
from mlplatform.api.pagination import NewestFirst
from mlplatform.api.views import PlatformView
from mlplatform.tenancy.permissions import Capability
from mlplatform.tenancy.scope import tenant_transaction


class ByKey(NewestFirst):
    """Newest first; the key is unique, unlike the moment a whole report was received at."""

    ordering = ("-pk",)


class HeldOutcomeFilter(filters.FilterSet):
    """By model, prediction and state."""

    model = filters.CharFilter(field_name="model__name")
    prediction = filters.UUIDFilter(field_name="prediction_key")
    state = filters.ChoiceFilter(choices=HeldState.choices)

    class Meta:
        model = HeldOutcome
        fields = ["model", "prediction", "state"]


class HeldOutcomeViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[HeldOutcome]):
    """Reports whose prediction is not known yet."""

    serializer_class = HeldOutcomeSerializer
    pagination_class = ByKey
    filterset_class = HeldOutcomeFilter
    capabilities = {"list": Capability.VIEW}
    queryset = HeldOutcome.all_tenants.none()

    def get_queryset(self) -> QuerySet[HeldOutcome]:
        """Return the tenant's held outcomes."""
        return held_outcomes()


class HeldCountsView(PlatformView):
    """How many reports wait, and how many waited in vain."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(responses=HeldCountsBody)
    def get(self, request: Request) -> Response:
        """Count the held outcomes by what became of them."""
        with tenant_transaction():
            return Response(held_counts())


class RatingFilter(filters.FilterSet):
    """By model, version, prediction, rating and time."""

    model = filters.CharFilter(field_name="model__name")
    version = filters.NumberFilter(field_name="prediction__version__number")
    prediction = filters.UUIDFilter(field_name="prediction_id")
    received = filters.IsoDateTimeFromToRangeFilter(field_name="received_at")

    class Meta:
        model = Rating
        fields = ["model", "version", "prediction", "rating", "current", "source"]


class RatingViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Rating]):
    """What people think of answers; they are sent with ``POST outcomes``."""

    serializer_class = RatingSerializer
    pagination_class = ByKey
    filterset_class = RatingFilter
    capabilities = {"list": Capability.VIEW}
    queryset = Rating.all_tenants.none()

    def get_queryset(self) -> QuerySet[Rating]:
        """Return the tenant's ratings."""
        return (
            Rating.objects.select_related("model", "prediction__version")
            .defer("prediction__features", "prediction__probabilities")
            .defer("prediction__version__reference", "prediction__version__features")
        )
