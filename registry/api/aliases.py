"""Aliases of a model over REST."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import PlatformView, StrictSerializer, actor
from mlplatform.tenancy.permissions import Capability
from registry.api.representations import DeploymentBody
from registry.models import Alias
from registry.services.aliases import aliases_of, remove_alias, set_alias
from registry.services.models import find_model
from registry.services.versions import find_version


class AliasBody(serializers.ModelSerializer[Alias]):
    """A name, and the version that it points to."""

    version = serializers.IntegerField(source="version.number", read_only=True)

    class Meta:
        model = Alias
        fields = ["name", "version", "updated_at"]
        read_only_fields = fields


class AliasesBody(serializers.Serializer[Any]):
    """Every alias of a model, the champion among them."""

    aliases = AliasBody(many=True)


class AliasRequest(StrictSerializer):
    """Where to point the name, and why."""

    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    reason = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class AliasesView(PlatformView):
    """A model's aliases."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(responses=AliasesBody)
    def get(self, request: Request, name: str) -> Response:
        """List the names and their versions."""
        return Response(AliasesBody({"aliases": aliases_of(find_model(name))}).data)


class AliasView(PlatformView):
    """One name beside the champion's."""

    capabilities = {"put": Capability.DEPLOY, "delete": Capability.DEPLOY}
    of_a_model = True

    @extend_schema(request=AliasRequest, responses=DeploymentBody)
    def put(self, request: Request, name: str, alias: str) -> Response:
        """Point the name to a version."""
        model = self.permitted(find_model(name))
        asked = self.validated(AliasRequest)
        version = find_version(model, asked["version"])
        changed = set_alias(
            model=model, name=alias, version=version, reason=asked["reason"], by=actor(request)
        )
        return Response(DeploymentBody(changed).data)

    @extend_schema(responses={200: DeploymentBody})
    def delete(self, request: Request, name: str, alias: str) -> Response:
        """Take the name off; the version stays."""
        model = self.permitted(find_model(name))
        return Response(DeploymentBody(remove_alias(model=model, name=alias, by=actor(request))).data)
