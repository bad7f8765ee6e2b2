"""Whether a rollback is due, over REST."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import PlatformView, actor
from mlplatform.tenancy.permissions import Capability
from monitoring.services.rollback_check import RollbackCheck, auto_rollback_check, roll_back_if_due
from registry.api.representations import DeploymentBody
from registry.services.models import find_model


class RollbackCheckBody(serializers.Serializer[Any]):
    """Whether the champion is proven to be worse than it may be, and what would answer then."""

    model = serializers.CharField(source="model.name")
    version = serializers.IntegerField(source="version.number")
    to = serializers.IntegerField(source="to.number", allow_null=True, default=None)
    due = serializers.BooleanField()
    sentence = serializers.CharField()
    numbers = serializers.DictField()
    tests = serializers.SerializerMethodField()

    def get_tests(self, found: RollbackCheck) -> list[dict[str, Any]]:
        """Return the tests by which a policy rolls back, each with its evidence and how much is needed."""
        return [one.as_json() for one in found.tests]


class RollbackCheckView(PlatformView):
    """Realized quality of the champion against its limit."""

    capabilities = {"get": Capability.VIEW, "post": Capability.DEPLOY}
    of_a_model = True
    reauthenticate = ("post",)

    @extend_schema(responses=RollbackCheckBody)
    def get(self, request: Request, name: str) -> Response:
        """Tell whether a rollback is due; changes nothing."""
        return Response(RollbackCheckBody(auto_rollback_check(find_model(name))).data)

    @extend_schema(request=None, responses=DeploymentBody)
    def post(self, request: Request, name: str) -> Response:
        """Roll back where it is due; 409 where it is not."""
        model = self.permitted(find_model(name))
        return Response(DeploymentBody(roll_back_if_due(model=model, by=actor(request))).data)
