"""Bases of the API's views."""

from collections.abc import Collection
from typing import Any, TypeVar, cast

from rest_framework import serializers
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from mlplatform.api.authentication import asking
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import TenantModel
from mlplatform.tenancy.permissions import Capability

MAX_UNKNOWN = 20
Row = TypeVar("Row", bound=TenantModel)


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not know, so that a misspelt name is never ignored."""

    default_error_messages = {"invalid": "Send an object of names and values."}

    def to_internal_value(self, data: Any) -> Any:
        """Validate; raises ValidationError that names each unknown field."""
        if isinstance(data, dict):
            unknown = sorted(set(data) - set(self.fields))[:MAX_UNKNOWN]
            if unknown:
                known = ", ".join(name for name, field in self.fields.items() if not field.read_only)
                raise serializers.ValidationError(
                    {str(name)[:100]: [f"Unknown field. Known fields: {known}."] for name in unknown}
                )
        return super().to_internal_value(data)


class PublicView(APIView):
    """A view that anyone may ask, for load balancers and supervisors: no tenant, no secrets, no limit."""

    public = True
    authentication_classes = ()
    permission_classes = (AllowAny,)


class PlatformView(APIView):
    """A view whose ``capabilities`` say what each method or action needs.

    ``of_a_model`` says that each request is about one model, whose own rights count (``permitted``).
    ``reauthenticate`` names those for which a person must have proved who they are a short while ago.
    """

    capabilities: dict[str, Capability] = {}
    of_a_model = False
    reauthenticate: Collection[str] = ()

    def validated(self, serializer_class: type[serializers.BaseSerializer[Any]]) -> dict[str, Any]:
        """Return the request body as the serializer understands it; raises ValidationError."""
        serializer = serializer_class(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return cast(dict[str, Any], serializer.validated_data)

    def permitted(self, row: Row) -> Row:
        """Return the row where the asker holds the stated capability on its model, else raise."""
        self.check_object_permissions(self.request, row)
        return row


def actor(request: Request) -> Actor:
    """Return who asks, for a service's ``by`` argument."""
    principal = asking(request)
    if principal is None:
        raise NotAuthenticated
    return Actor.of(principal)
