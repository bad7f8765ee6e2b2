"""Changing what runs over REST."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.authentication import asking
from mlplatform.api.views import PlatformView, actor
from mlplatform.tenancy.permissions import Capability, demand
from registry.api.representations import DeploymentBody, GatesBody
from registry.api.serializers import PromoteRequest, RollbackRequest
from registry.models import Deployment
from registry.services.gates import evaluate_gates
from registry.services.listings import deployments_overview
from registry.services.models import find_model
from registry.services.promotion import champion_of, promote, rollback
from registry.services.versions import find_version


class PromoteView(PlatformView):
    """Promotion of a version to champion."""

    capabilities = {"post": Capability.DEPLOY}
    of_a_model = True
    reauthenticate = ("post",)

    @extend_schema(request=PromoteRequest, responses=DeploymentBody)
    def post(self, request: Request, name: str) -> Response:
        """Make the version the champion where it passes its gates, or overrides them with a reason."""
        model = self.permitted(find_model(name))
        asked = self.validated(PromoteRequest)
        if asked["override"]:
            demand(asking(request), Capability.APPROVE, "Only approvers pass over failed gates.", model)
        deployment = promote(
            model=model,
            version=find_version(model, asked["version"]),
            reason=asked["reason"],
            override=asked["override"],
            by=actor(request),
        )
        return Response(DeploymentBody(deployment).data)


class RollbackView(PlatformView):
    """Return to an earlier champion."""

    capabilities = {"post": Capability.DEPLOY}
    of_a_model = True
    reauthenticate = ("post",)

    @extend_schema(request=RollbackRequest, responses=DeploymentBody)
    def post(self, request: Request, name: str) -> Response:
        """Make the champion before, or the one named, the champion again."""
        model = self.permitted(find_model(name))
        asked = self.validated(RollbackRequest)
        to = None if asked["to"] is None else find_version(model, asked["to"])
        deployment = rollback(model=model, reason=asked["reason"], to=to, by=actor(request))
        return Response(DeploymentBody(deployment).data)


class DeploymentsView(PlatformView, ListAPIView[Deployment]):
    """Every change of what ran, newest first."""

    capabilities = {"get": Capability.VIEW}
    queryset = Deployment.all_tenants.none()
    serializer_class = DeploymentBody

    def get_queryset(self) -> QuerySet[Deployment]:
        """Return the history of the model in the path."""
        return deployments_overview(find_model(self.kwargs["name"]))


class GatesView(PlatformView):
    """What a version would have to pass now."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(responses=GatesBody)
    def get(self, request: Request, name: str, number: int) -> Response:
        """Evaluate the gates against the present champion; changes nothing."""
        model = find_model(name)
        version = find_version(model, number)
        champion = champion_of(model)
        gates = evaluate_gates(model=model, candidate=version)
        body = {
            "model": model.name,
            "version": version.number,
            "champion": champion.number if champion else None,
            "passed": all(gate.passed for gate in gates),
            "gates": [gate.as_json() for gate in gates],
        }
        return Response(GatesBody(body).data)
