"""The endpoint that hands out tokens."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.authentication import asking
from mlplatform.api.permissions import InTenant
from mlplatform.api.views import PlatformView, StrictSerializer
from mlplatform.errors import NotAllowed
from mlplatform.tenancy.models import ApiKey, Scope
from mlplatform.tenancy.permissions import Capability
from mlplatform.tenancy.services.tokens import (
    LIFETIME_SECONDS,
    LONGEST_SECONDS,
    MOST_MODELS,
    SHORTEST_SECONDS,
    issue_token,
)

SCOPES = [choice for choice in Scope.choices if choice[0] != Scope.ADMIN]


class TokenRequest(StrictSerializer):
    """What the token is for; without scopes or models it has those of its key."""

    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=SCOPES), required=False, default=list, help_text="Of the key's."
    )
    models = serializers.ListField(
        child=serializers.CharField(max_length=100), required=False, default=list, max_length=MOST_MODELS
    )
    lifetime_seconds = serializers.IntegerField(
        required=False, default=LIFETIME_SECONDS, min_value=SHORTEST_SECONDS, max_value=LONGEST_SECONDS
    )


class TokenBody(serializers.Serializer[Any]):
    """A token, to be sent as ``Authorization: Bearer``; no models means every model."""

    token = serializers.CharField()
    expires_at = serializers.DateTimeField()
    scopes = serializers.ListField(child=serializers.CharField())
    models = serializers.ListField(child=serializers.CharField())


class TokensView(PlatformView):
    """Short-lived tokens that stand for the key that asks."""

    capabilities = {"post": Capability.VIEW}

    def get_permissions(self) -> list[BasePermission]:
        """Any key may ask, whatever its scopes: the token has no others."""
        return [InTenant()]

    @extend_schema(request=TokenRequest, responses={201: TokenBody})
    def post(self, request: Request) -> Response:
        """Sign a token for a browser or a device; it ends by itself, or with its key."""
        key = asking(request)
        if not isinstance(key, ApiKey):
            raise NotAllowed("Tokens stand for an API key. Send one as Authorization: Bearer.")
        issued = issue_token(key=key, **self.validated(TokenRequest))
        return Response(TokenBody(issued).data, status=status.HTTP_201_CREATED)
