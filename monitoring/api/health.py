"""Endpoints that say whether the platform works."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import PlatformView, PublicView
from mlplatform.tenancy.permissions import Capability
from monitoring.services.readiness import readiness
from monitoring.services.status import system_status


class LiveBody(serializers.Serializer[Any]):
    """The process answers."""

    status = serializers.CharField()


class PartBody(serializers.Serializer[Any]):
    """One thing that the platform needs."""

    name = serializers.CharField()
    ready = serializers.BooleanField()
    detail = serializers.CharField(allow_blank=True)


class ReadyBody(serializers.Serializer[Any]):
    """Whether work can be done, and what stands in the way."""

    status = serializers.CharField(help_text="ready or not_ready")
    parts = PartBody(many=True)


class StatusBody(serializers.Serializer[Any]):
    """The tenant's figures and the background processes' signs of life."""

    beat_at = serializers.DateTimeField(allow_null=True)
    beat_alive = serializers.BooleanField()
    jobs_queued = serializers.IntegerField()
    jobs_running = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField())


class LiveView(PublicView):
    """Whether the process lives."""

    @extend_schema(responses=LiveBody, auth=[])
    def get(self, request: Request) -> Response:
        """Answer, and touch nothing."""
        return Response({"status": "live"})


class ReadyView(PublicView):
    """Whether the platform can work."""

    @extend_schema(responses={200: ReadyBody, 503: ReadyBody}, auth=[])
    def get(self, request: Request) -> Response:
        """Look at the database, its migrations and the storage; 503 where one of them fails."""
        parts = readiness()
        ready = all(part.ready for part in parts)
        body = {"status": "ready" if ready else "not_ready", "parts": parts}
        code = status.HTTP_200_OK if ready else status.HTTP_503_SERVICE_UNAVAILABLE
        return Response(ReadyBody(body).data, status=code)


class StatusView(PlatformView):
    """The platform at a glance."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(responses=StatusBody)
    def get(self, request: Request) -> Response:
        """Return beat's last sign of life, what waits and runs, and how much there is."""
        return Response(StatusBody(system_status()).data)


class InferenceLiveBody(serializers.Serializer[Any]):
    """The server answers, as the Open Inference Protocol has it."""

    live = serializers.BooleanField()


class InferenceReadyBody(serializers.Serializer[Any]):
    """Whether inferences can be made, as the Open Inference Protocol has it."""

    ready = serializers.BooleanField()


class InferenceLiveView(PublicView):
    """Whether the server lives, for clients of the Open Inference Protocol."""

    @extend_schema(responses=InferenceLiveBody, auth=[])
    def get(self, request: Request) -> Response:
        """Answer, and touch nothing."""
        return Response({"live": True})


class InferenceReadyView(PublicView):
    """Whether the server can work, for clients of the Open Inference Protocol."""

    @extend_schema(responses={200: InferenceReadyBody, 503: InferenceReadyBody}, auth=[])
    def get(self, request: Request) -> Response:
        """Look at the database, its migrations and the storage; 503 where one of them fails."""
        ready = all(part.ready for part in readiness())
        code = status.HTTP_200_OK if ready else status.HTTP_503_SERVICE_UNAVAILABLE
        return Response({"ready": ready}, status=code)
