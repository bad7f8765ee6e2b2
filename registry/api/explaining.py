"""Why a model answers as it does, over REST."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.authentication import asking
from mlplatform.api.views import PlatformView, StrictSerializer, actor
from mlplatform.tenancy.permissions import Capability, demand
from registry.api.answer_bodies import ContributionBody
from registry.api.serializers import RowField
from registry.services.explaining import explain_prediction, explain_sent_row, explain_version
from registry.services.models import find_model


class ExplainRequest(StrictSerializer):
    """A row, or a prediction's id; neither for what matters on the whole."""

    row = RowField(required=False)
    prediction = serializers.UUIDField(required=False)
    version = serializers.IntegerField(
        min_value=1, max_value=2**31 - 1, required=False, allow_null=True, default=None
    )
    label = serializers.CharField(  # type: ignore[assignment]  # DRF takes fields off the class
        max_length=200, required=False, allow_null=True, default=None, help_text="The class to explain."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse both at once, and what a prediction settles by itself."""
        if "prediction" in attrs and ("row" in attrs or attrs["version"] or attrs["label"]):
            raise serializers.ValidationError({"prediction": ["Send it alone: it names its version."]})
        return attrs


class ExplanationBody(serializers.Serializer[Any]):
    """What is usual, what was answered, and what each value did on the way, the largest effect first.

    ``rows`` says on how many rows an explanation of the whole rests; there each effect is a mean size.
    """

    model = serializers.CharField()
    version = serializers.IntegerField()
    explained = serializers.CharField(allow_null=True)
    method = serializers.CharField()
    base = serializers.FloatField()
    answer = serializers.FloatField()
    fidelity = serializers.FloatField(allow_null=True)
    rows = serializers.IntegerField(allow_null=True)
    contributions = ContributionBody(many=True)
    sentences = serializers.ListField(child=serializers.CharField())


class ExplainView(PlatformView):
    """Why the model answers as it does."""

    capabilities = {"post": Capability.PREDICT}
    of_a_model = True

    @extend_schema(request=ExplainRequest, responses=ExplanationBody)
    def post(self, request: Request, name: str) -> Response:
        """Explain the answer for a row or a logged prediction; without either, what matters on the whole."""
        model = self.permitted(find_model(name))
        asked = self.validated(ExplainRequest)
        pk = asked.pop("prediction", None)
        if pk is not None:
            demand(asking(request), Capability.VIEW, "Reading the log needs the right to see it.", model)
            found = explain_prediction(pk=pk, by=actor(request), model=model)
        elif "row" in asked:
            found = explain_sent_row(model=model, **asked)
        else:
            found = explain_version(model=model, **asked)
        return Response(ExplanationBody(found.data).data)
