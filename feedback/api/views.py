"""Endpoints for outcomes."""

from typing import Any

import msgspec
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
from registry.api.repeating import KEY_PARAMETER, once_of, tell_repeated
from registry.services.done_once import done_once


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

    @extend_schema(
        request=OutcomeReportSerializer, responses={201: OutcomeResultSerializer}, parameters=[KEY_PARAMETER]
    )
    def create(self, request: Request) -> Response:
        """Record one outcome or up to 10,000: all or none, unless ``partial`` is true.

        Repeating a report changes nothing; another value for the same prediction corrects the earlier one.
        One whose prediction is not known yet is held, unless ``hold`` is false.
        """
        body = OutcomeReportSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        report: dict[str, Any] = body.validated_data

        def do() -> dict[str, Any]:
            result = record_outcomes(
                items=reported(report),
                source="api",
                by=actor(request),
                partial=report["partial"],
                hold_unknown=report["hold"],
                check=lambda model: self.check_object_permissions(request, model),
            )
            return dict(OutcomeResultSerializer(result).data)

        once = once_of(request, msgspec.json.encode(request.data))
        done = done_once(once=once, by=actor(request), do=do)
        return tell_repeated(Response(done.told, status=status.HTTP_201_CREATED), done)
