"""Rights on one model over REST."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import PlatformView, StrictSerializer, actor
from mlplatform.tenancy.models import Grant
from mlplatform.tenancy.models.team import GRANTABLE
from mlplatform.tenancy.permissions import Capability
from mlplatform.tenancy.services.grants import find_grant, give_right, grants_on, withdraw_right
from mlplatform.tenancy.services.teams import find_team, members_with
from registry.services.models import find_model


class GrantBody(serializers.ModelSerializer[Grant]):
    """A right on a model, of a member or of a team."""

    model = serializers.CharField(source="model.name", read_only=True)
    member = serializers.CharField(source="membership.email", read_only=True, default=None, allow_null=True)
    team = serializers.CharField(source="team.name", read_only=True, default=None, allow_null=True)

    class Meta:
        model = Grant
        fields = ["id", "model", "member", "team", "role", "created_at", "created_by"]
        read_only_fields = fields


class GrantRequest(StrictSerializer):
    """Who gets which role on the model: a member by e-mail address, or a team by name."""

    member = serializers.EmailField(required=False)
    team = serializers.CharField(max_length=100, required=False)
    role = serializers.ChoiceField(choices=GRANTABLE)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for exactly one of ``member`` and ``team``."""
        if ("member" in attrs) == ("team" in attrs):
            raise serializers.ValidationError({"member": ["Name either a member or a team."]})
        return attrs


class GrantsView(PlatformView, ListAPIView[Grant]):
    """Who may do more, or less, on this model than the role in the tenant says."""

    capabilities = {"get": Capability.ADMIN, "post": Capability.ADMIN}
    reauthenticate = ("post",)
    queryset = Grant.all_tenants.none()
    serializer_class = GrantBody

    def get_queryset(self) -> QuerySet[Grant]:
        """Return the rights on the model in the path."""
        return grants_on(find_model(self.kwargs["name"]))

    @extend_schema(request=GrantRequest, responses={201: GrantBody})
    def post(self, request: Request, name: str) -> Response:
        """Give a right, in place of an earlier one of the same member or team."""
        model = find_model(name)
        asked = self.validated(GrantRequest)
        holder = (
            members_with([asked["member"]], "member")[0] if "member" in asked else find_team(asked["team"])
        )
        grant = give_right(model=model, holder=holder, role=asked["role"], by=actor(request))
        return Response(GrantBody(grant).data, status=status.HTTP_201_CREATED)


class GrantView(PlatformView):
    """One right on a model."""

    capabilities = {"delete": Capability.ADMIN}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, name: str, pk: int) -> Response:
        """Take the right back: the role in the tenant, or a team's right, holds again."""
        withdraw_right(grant=find_grant(find_model(name), pk), by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
