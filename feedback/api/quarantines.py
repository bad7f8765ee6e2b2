"""Suspicious feedback over REST, and the settings of labelling and guarding."""

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from feedback.api.held import ByKey
from feedback.api.label_bodies import (
    FeedbackSettingsBody,
    FeedbackSettingsRequest,
    QuarantineBody,
    QuarantineDecision,
)
from feedback.models import Quarantine
from feedback.models.quarantine import QuarantineState
from feedback.services.feedback_settings import feedback_settings_of, update_feedback_settings
from feedback.services.quarantines import quarantines_overview, reject, release
from mlplatform.api.views import PlatformView, actor
from mlplatform.tenancy.permissions import Capability
from registry.services.models import find_model


class QuarantineFilter(filters.FilterSet):
    """By model, sender and state."""

    model = filters.CharFilter(field_name="model__name")
    state = filters.ChoiceFilter(choices=QuarantineState.choices)

    class Meta:
        model = Quarantine
        fields = ["model", "sender", "state"]


class QuarantineViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Quarantine]
):
    """Labels that were set aside as suspicious."""

    serializer_class = QuarantineBody
    pagination_class = ByKey
    filterset_class = QuarantineFilter
    capabilities = {
        "list": Capability.VIEW,
        "retrieve": Capability.VIEW,
        "release": Capability.APPROVE,
        "reject": Capability.APPROVE,
    }
    of_a_model = True
    queryset = Quarantine.all_tenants.none()

    def get_queryset(self) -> QuerySet[Quarantine]:
        """Return the tenant's quarantines."""
        return quarantines_overview()

    @extend_schema(request=QuarantineDecision, responses=QuarantineBody)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str) -> Response:
        """Let the labels count, with a reason."""
        case = self.get_object()
        return Response(QuarantineBody(release(case=case, reason=self._reason(), by=actor(request))).data)

    @extend_schema(request=QuarantineDecision, responses=QuarantineBody)
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: str) -> Response:
        """Keep the labels as history that never counts, with a reason."""
        case = self.get_object()
        return Response(QuarantineBody(reject(case=case, reason=self._reason(), by=actor(request))).data)

    def _reason(self) -> str:
        body = QuarantineDecision(data=self.request.data)
        body.is_valid(raise_exception=True)
        return str(body.validated_data["reason"])


class FeedbackSettingsView(PlatformView):
    """How the feedback of one model is labelled and guarded."""

    capabilities = {"get": Capability.VIEW, "put": Capability.APPROVE}
    of_a_model = True

    @extend_schema(responses=FeedbackSettingsBody)
    def get(self, request: Request, name: str) -> Response:
        """Return the settings."""
        return Response(FeedbackSettingsBody(feedback_settings_of(find_model(name))).data)

    @extend_schema(request=FeedbackSettingsRequest, responses=FeedbackSettingsBody)
    def put(self, request: Request, name: str) -> Response:
        """Change the settings; fields that are left out stay as they are. The next report follows them."""
        model = self.permitted(find_model(name))
        changes = self.validated(FeedbackSettingsRequest)
        changed = update_feedback_settings(model=model, by=actor(request), **changes)
        return Response(FeedbackSettingsBody(changed).data)
