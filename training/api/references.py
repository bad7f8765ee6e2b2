"""Our implementations against scikit-learn's over REST."""

from typing import Any

import msgspec
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import PlatformView, StrictSerializer
from mlplatform.tenancy.permissions import Capability
from registry.services.datasets import find_dataset
from registry.services.models import find_model
from training.evaluation.against_library import KINDS
from training.services.references import compare_with_library


class ReferenceRequest(StrictSerializer):
    """Which of both, on which data."""

    dataset = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    kind = serializers.ChoiceField(choices=KINDS, required=False, default=KINDS[0])


class SideBody(serializers.Serializer[Any]):
    """One implementation: scores on the test rows, seconds, size, ROC curves by class."""

    name = serializers.CharField()
    scores = serializers.DictField(child=serializers.FloatField())
    fit_seconds = serializers.FloatField()
    predict_seconds = serializers.FloatField()
    size = serializers.DictField(child=serializers.FloatField())
    roc = serializers.DictField(child=serializers.DictField())


class WeightBody(serializers.Serializer[Any]):
    """A prepared input with what it counts on either side."""

    input = serializers.CharField()
    ours = serializers.FloatField()
    theirs = serializers.FloatField()


class ReferenceBody(serializers.Serializer[Any]):
    """Both sides; ``tree`` is a drawing (SVG) of ours, ``cost_history`` the cost of the descent by step."""

    kind = serializers.ChoiceField(choices=KINDS)
    learnt_rows = serializers.IntegerField()
    test_rows = serializers.IntegerField()
    classes = serializers.ListField(child=serializers.CharField())
    ours = SideBody()
    theirs = SideBody()
    agreement = serializers.FloatField()
    largest_difference = serializers.FloatField()
    weights = WeightBody(many=True)
    weights_of = serializers.CharField()
    cost_history = serializers.ListField(child=serializers.FloatField())
    tree = serializers.CharField()


class ReferenceView(PlatformView):
    """Our logistic regression or decision tree against scikit-learn's."""

    capabilities = {"post": Capability.TRAIN}
    of_a_model = True

    @extend_schema(request=ReferenceRequest, responses=ReferenceBody, filters=False)
    def post(self, request: Request, name: str) -> Response:
        """Compare both on a dataset, and keep nothing. Of more than 5,000 rows so many are drawn."""
        model = self.permitted(find_model(name))
        asked = self.validated(ReferenceRequest)
        dataset = find_dataset(asked["dataset"])
        found = compare_with_library(model=model, dataset=dataset, kind=asked["kind"])
        return Response(msgspec.to_builtins(found))
