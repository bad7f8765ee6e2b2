"""Endpoints for API keys."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import actor
from mlplatform.tenancy.api import serializers
from mlplatform.tenancy.models import ApiKey
from mlplatform.tenancy.permissions import Capability
from mlplatform.tenancy.services.api_keys import (
    CreatedKey,
    create_api_key,
    limit_api_key,
    revoke_api_key,
    rotate_api_key,
)


class ApiKeyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[ApiKey]):
    """API keys of the tenant."""

    serializer_class = serializers.ApiKeySerializer
    capabilities = dict.fromkeys(
        ("list", "retrieve", "create", "partial_update", "rotate", "revoke"), Capability.ADMIN
    )
    reauthenticate = ("create", "rotate")
    queryset = ApiKey.all_tenants.none()

    def get_queryset(self) -> QuerySet[ApiKey]:
        """Return the tenant's keys."""
        return ApiKey.objects.select_related("successor")

    @extend_schema(
        request=serializers.NewApiKeySerializer, responses={201: serializers.CreatedApiKeySerializer}
    )
    def create(self, request: Request) -> Response:
        """Make a key; this answer is the only one that ever holds its secret."""
        body = serializers.NewApiKeySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        return self._shown_once(create_api_key(by=actor(request), **body.validated_data))

    @extend_schema(
        request=serializers.RotationSerializer, responses={201: serializers.CreatedApiKeySerializer}
    )
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str) -> Response:
        """Make the key's successor; the old key works on for the overlap. The secret is shown here alone."""
        body = serializers.RotationSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        made = rotate_api_key(key=self.get_object(), by=actor(request), **body.validated_data)
        return self._shown_once(made)

    @extend_schema(request=serializers.ApiKeyLimitSerializer, responses=serializers.ApiKeySerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change how many requests a minute the key may make."""
        key = self.get_object()
        body = serializers.ApiKeyLimitSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        limited = limit_api_key(key=key, by=actor(request), **body.validated_data)
        return Response(self.get_serializer(limited).data)

    @extend_schema(request=None, responses=serializers.ApiKeySerializer)
    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str) -> Response:
        """End a key at once."""
        return Response(self.get_serializer(revoke_api_key(key=self.get_object(), by=actor(request))).data)

    def _shown_once(self, made: CreatedKey) -> Response:
        shown: dict[str, Any] = {**self.get_serializer(made.key).data, "secret": made.secret}
        return Response(shown, status=status.HTTP_201_CREATED)
