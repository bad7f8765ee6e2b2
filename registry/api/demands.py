"""Which gates a model demands, over REST."""

from typing import Any

import msgspec
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import PlatformView, StrictSerializer, actor
from mlplatform.tenancy.permissions import Capability
from registry.models import RegisteredModel
from registry.services.demands import all_demands, choose_gates
from registry.services.models import find_model


class DemandBody(serializers.Serializer[Any]):
    """One gate, whether the model demands it, and with what parameters."""

    name = serializers.CharField()
    title = serializers.CharField()
    purpose = serializers.CharField()
    demanded = serializers.BooleanField()
    always = serializers.BooleanField(help_text="Every model demands it.")
    parameters = serializers.DictField()
    schema = serializers.DictField(help_text="What the parameters may be, as a JSON Schema.")


class DemandsBody(serializers.Serializer[Any]):
    """Every gate there is, in the order in which they are run."""

    model = serializers.CharField()
    standard = serializers.BooleanField(help_text="Nobody has chosen: the standard gates count.")
    gates = DemandBody(many=True)


class DemandsRequest(StrictSerializer):
    """The gates to demand; those that are not named are not demanded. None for the standard ones."""

    gates = serializers.DictField(
        child=serializers.DictField(), help_text="By gate its parameters; what is left out has its default."
    )


class DemandsView(PlatformView):
    """The gates that a model demands."""

    capabilities = {"get": Capability.VIEW, "put": Capability.APPROVE}
    of_a_model = True

    @extend_schema(responses=DemandsBody)
    def get(self, request: Request, name: str) -> Response:
        """Show every gate, which of them the model demands, and what each may be told."""
        return Response(_body(find_model(name)))

    @extend_schema(request=DemandsRequest, responses=DemandsBody)
    def put(self, request: Request, name: str) -> Response:
        """Choose the gates."""
        model = self.permitted(find_model(name))
        choose_gates(model=model, gates=self.validated(DemandsRequest)["gates"], by=actor(request))
        return Response(_body(model))


def _body(model: RegisteredModel) -> dict[str, Any]:
    gates = [
        {
            "name": one.gate.name,
            "title": one.gate.title,
            "purpose": one.gate.purpose,
            "demanded": one.demanded,
            "always": one.gate.always,
            "parameters": msgspec.to_builtins(one.parameters),
            "schema": msgspec.json.schema(one.gate.parameters),
        }
        for one in all_demands(model)
    ]
    body = {"model": model.name, "standard": not model.gates, "gates": gates}
    return dict(DemandsBody(body).data)
