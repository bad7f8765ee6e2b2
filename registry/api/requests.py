"""Promotion requests over REST."""

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.authentication import asking
from mlplatform.api.views import PlatformView, StrictSerializer, actor
from mlplatform.tenancy.permissions import Capability, demand
from registry.api.representations import GateBody
from registry.models import PromotionRequest
from registry.services import requests
from registry.services.models import find_model
from registry.services.versions import find_version
from registry.tasks import submit_proposal


class CommentBody(serializers.Serializer[Any]):
    """One comment."""

    at = serializers.DateTimeField()
    by = serializers.CharField()
    text = serializers.CharField()


class RequestBody(serializers.ModelSerializer[PromotionRequest]):
    """A request, its comments, and what came of it."""

    model = serializers.CharField(source="model.name", read_only=True)
    version = serializers.IntegerField(source="version.number", read_only=True)
    against = serializers.IntegerField(
        source="against.number", allow_null=True, default=None, read_only=True, help_text="The champion then."
    )
    requested_by = serializers.CharField(read_only=True)
    comments = CommentBody(many=True, read_only=True)
    gates = GateBody(many=True, read_only=True)
    deployment = serializers.IntegerField(
        source="deployment.pk", allow_null=True, default=None, read_only=True
    )

    class Meta:
        model = PromotionRequest
        fields = [
            "id",
            "model",
            "version",
            "against",
            "state",
            "comment",
            "requested_by",
            "comments",
            "gates",
            "created_at",
            "expires_at",
            "decided_at",
            "decided_by",
            "decision",
            "deployment",
        ]
        read_only_fields = fields


class Proposal(StrictSerializer):
    """Which version, and why."""

    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    comment = serializers.CharField(
        max_length=requests.LONGEST_TEXT, required=False, default="", allow_blank=True
    )


class Approval(StrictSerializer):
    """Why, and whether failed gates are passed over."""

    reason = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)
    override = serializers.BooleanField(required=False, default=False, help_text="Pass over failed gates.")


class Because(StrictSerializer):
    """Why."""

    reason = serializers.CharField(
        max_length=requests.LONGEST_TEXT, required=False, default="", allow_blank=True
    )


class Remark(StrictSerializer):
    """A comment."""

    text = serializers.CharField(max_length=requests.LONGEST_TEXT)


class RequestFilter(filters.FilterSet):
    """Requests by model and state."""

    model = filters.CharFilter(field_name="model__name")

    class Meta:
        model = PromotionRequest
        fields = ["state"]


class ProposalsView(PlatformView):
    """Proposals of a model's versions."""

    capabilities = {"post": Capability.TRAIN}
    of_a_model = True

    @extend_schema(request=Proposal, responses={201: RequestBody})
    def post(self, request: Request, name: str) -> Response:
        """Propose a version as champion; its gates are run first."""
        model = self.permitted(find_model(name))
        asked = self.validated(Proposal)
        version = find_version(model, asked["version"])
        made = submit_proposal(model=model, version=version, comment=asked["comment"], by=actor(request))
        body = RequestBody(requests.find_request(made.pk)).data
        return Response(body, status=status.HTTP_201_CREATED)


class RequestViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[PromotionRequest]
):
    """Who asks for which promotion, and what was decided."""

    serializer_class = RequestBody
    filterset_class = RequestFilter
    capabilities = {
        "list": Capability.VIEW,
        "retrieve": Capability.VIEW,
        "approve": Capability.APPROVE,
        "reject": Capability.APPROVE,
        "withdraw": Capability.TRAIN,
        "comments": Capability.TRAIN,
    }
    of_a_model = True
    reauthenticate = ("approve",)
    queryset = PromotionRequest.all_tenants.none()

    def get_queryset(self) -> QuerySet[PromotionRequest]:
        """Return the tenant's requests."""
        return requests.requests_overview()

    @extend_schema(request=Approval, responses=RequestBody)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str) -> Response:
        """Run the gates once more, and make the version the champion."""
        found = self.get_object()
        asked = self._asked(Approval)
        if asked["override"]:
            demand(asking(request), Capability.APPROVE, "Only approvers pass over failed gates.", found)
        requests.approve(request=found, by=actor(request), **asked)
        return self._shown(found)

    @extend_schema(request=Because, responses=RequestBody)
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: str) -> Response:
        """Turn it down, with a reason."""
        found = self.get_object()
        requests.reject(request=found, by=actor(request), reason=self._asked(Because)["reason"])
        return self._shown(found)

    @extend_schema(request=Because, responses=RequestBody)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """Take your own proposal back."""
        found = self.get_object()
        requests.withdraw(request=found, by=actor(request), reason=self._asked(Because)["reason"])
        return self._shown(found)

    @extend_schema(request=Remark, responses=RequestBody)
    @action(detail=True, methods=["post"])
    def comments(self, request: Request, pk: str) -> Response:
        """Comment on it."""
        found = self.get_object()
        requests.comment_on(request=found, by=actor(request), text=self._asked(Remark)["text"])
        return self._shown(found)

    def _asked(self, body: type[StrictSerializer]) -> dict[str, Any]:
        sent = body(data=self.request.data)
        sent.is_valid(raise_exception=True)
        return dict(sent.validated_data)

    def _shown(self, request: PromotionRequest) -> Response:
        return Response(RequestBody(requests.find_request(request.pk)).data)
