"""Endpoints for outcomes."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from feedback.api.filters import OutcomeFilter
from feedback.api.serializers import (
    OutcomeReportSerializer,
    OutcomeResultSerializer,
    OutcomeSerializer,
    reported,
)
from feedback.models import Outcome
from feedback.services.outcomes import record_outcomes
from mlplatform.api.pagination import NewestFirst
from mlplatform.api.views import actor
from mlplatform.tenancy.permissions import Capability


class OutcomePages(NewestFirst):
    """Newest outcomes first; the key is unique, unlike the moment a whole report was received at."""

    ordering = ("-pk",)


class OutcomeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Outcome]):
    """What predictions turned out to be."""

    serializer_class = OutcomeSerializer
    pagination_class = OutcomePages
    filterset_class = OutcomeFilter
    capabilities = {"list": Capability.VIEW, "retrieve": Capability.VIEW, "create": Capability.FEEDBACK}
    of_a_model = True
    queryset = Outcome.all_tenants.none()

    def get_queryset(self) -> QuerySet[Outcome]:
        """Return the tenant's outcomes."""
        return (
            Outcome.objects.select_related("model", "prediction__version")
            .defer("prediction__features", "prediction__probabilities")
            .defer("prediction__version__reference", "prediction__version__features")
        )

    @extend_schema(request=OutcomeReportSerializer, responses={201: OutcomeResultSerializer})
    def create(self, request: Request) -> Response:
        """Record one outcome or up to 10,000: all or none, unless ``partial`` is true.

        Repeating a report changes nothing; another value for the same prediction corrects the earlier one.
        """
        body = OutcomeReportSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        report: dict[str, Any] = body.validated_data
        result = record_outcomes(
            items=reported(report),
            source="api",
            by=actor(request),
            partial=report["partial"],
            check=lambda model: self.check_object_permissions(request, model),
        )
        return Response(OutcomeResultSerializer(result).data, status=status.HTTP_201_CREATED)
