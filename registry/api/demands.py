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
from registry.models.request import LONGEST_DAYS, SHORTEST_DAYS
from registry.services.demands import all_demands, change_rules
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
    four_eyes = serializers.BooleanField(help_text="Whoever proposes a version does not approve it.")
    request_days = serializers.IntegerField(help_text="Days in which a proposal can be approved.")


class DemandsRequest(StrictSerializer):
    """What a promotion needs; what is left out stays."""

    gates = serializers.DictField(
        child=serializers.DictField(),
        required=False,
        help_text="By demanded gate its parameters; gates that are not named are not demanded, and none "
        "brings the standard ones back.",
    )
    four_eyes = serializers.BooleanField(required=False)
    request_days = serializers.IntegerField(required=False, min_value=SHORTEST_DAYS, max_value=LONGEST_DAYS)


class DemandsView(PlatformView):
    """The gates that a model demands."""

    capabilities = {"get": Capability.VIEW, "put": Capability.APPROVE}
    of_a_model = True

    @extend_schema(operation_id="models_gates_chosen", responses=DemandsBody)
    def get(self, request: Request, name: str) -> Response:
        """Show every gate, which of them the model demands, and what each may be told."""
        return Response(_body(find_model(name)))

    @extend_schema(request=DemandsRequest, responses=DemandsBody)
    def put(self, request: Request, name: str) -> Response:
        """Choose the gates, and whether a second person approves."""
        model = self.permitted(find_model(name))
        change_rules(model=model, by=actor(request), **self.validated(DemandsRequest))
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
    body = {
        "model": model.name,
        "standard": not model.gates,
        "gates": gates,
        "four_eyes": model.four_eyes,
        "request_days": model.request_days,
    }
    return dict(DemandsBody(body).data)
