"""Endpoints about persons: what is held, taking it out, erasing it."""

from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from feedback.models import SubjectErasure
from feedback.services.erasures import erasures_overview
from feedback.services.subjects import export_subject, holdings
from feedback.tasks import submit_erasure
from mlplatform.api.views import PlatformView, StrictSerializer, actor
from mlplatform.tenancy.downloads import as_download
from mlplatform.tenancy.permissions import Capability
from registry.models import RegisteredModel
from registry.services.models import find_model


class SubjectRequest(StrictSerializer):
    """Whom it concerns: the client's own key, as predictions carried it."""

    entity_key = serializers.CharField(max_length=200)
    model = serializers.CharField(
        max_length=100, required=False, allow_null=True, default=None, help_text="Only this model."
    )


class HoldingBody(serializers.Serializer[Any]):
    """What is held in one model's log."""

    model = serializers.CharField()
    predictions = serializers.IntegerField()
    outcomes = serializers.IntegerField()


class HoldingsBody(serializers.Serializer[Any]):
    """What is held about a person."""

    entity = serializers.CharField(help_text="The pseudonym, which the log, the trail and exports show.")
    models = HoldingBody(many=True)
    waiting = serializers.IntegerField(help_text="Outcomes that name the person and found no prediction yet.")
    traces = serializers.DictField(help_text="Frozen data and versions that the rows went into.")


class ErasureBody(serializers.ModelSerializer[SubjectErasure]):
    """A request to erase, and what has been removed so far."""

    model = serializers.CharField(source="model.name", allow_null=True, default=None, read_only=True)
    traces = serializers.DictField(read_only=True)

    class Meta:
        model = SubjectErasure
        fields = ["id", "entity", "model", "predictions", "outcomes", "traces", "created_at"]
        fields += ["requested_by", "finished_at"]
        read_only_fields = fields


def asked(view: PlatformView) -> dict[str, Any]:
    """Return the key and the model of the request's body."""
    body = view.validated(SubjectRequest)
    model: RegisteredModel | None = None if body["model"] is None else find_model(body["model"])
    return {"key": body["entity_key"], "model": model}


class SubjectSearchView(PlatformView):
    """What is held about a person. The key is sent in the body: addresses end up in logs."""

    capabilities = {"post": Capability.ADMIN}

    @extend_schema(request=SubjectRequest, responses=HoldingsBody)
    def post(self, request: Request) -> Response:
        """Count what would be erased, and tell where else the rows went; changes nothing."""
        return Response(asdict(holdings(**asked(self), by=actor(request))))


class SubjectExportView(PlatformView):
    """Everything that is held about a person."""

    capabilities = {"post": Capability.ADMIN}

    @extend_schema(request=SubjectRequest, responses={(200, "application/json"): OpenApiTypes.OBJECT})
    def post(self, request: Request) -> StreamingHttpResponse:
        """Send predictions and outcomes as one JSON document."""
        return as_download(export_subject(**asked(self), by=actor(request)))


class ErasureViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, PlatformView, viewsets.GenericViewSet[SubjectErasure]
):
    """Requests to erase persons."""

    serializer_class = ErasureBody
    capabilities = dict.fromkeys(("list", "retrieve", "create"), Capability.ADMIN)
    reauthenticate = ("create",)
    queryset = SubjectErasure.all_tenants.none()

    def get_queryset(self) -> QuerySet[SubjectErasure]:
        """Return the tenant's erasures."""
        return erasures_overview()

    @extend_schema(request=SubjectRequest, responses={202: ErasureBody})
    def create(self, request: Request) -> Response:
        """Have a worker erase the predictions and outcomes; read the erasure to see how far it is."""
        erasure = submit_erasure(**asked(self), by=actor(request))
        return Response(self.get_serializer(erasure).data, status=status.HTTP_202_ACCEPTED)
