"""Versions in shadow over REST."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import PlatformView
from mlplatform.tenancy.permissions import Capability
from monitoring.api.serializers import WindowQuery
from monitoring.services.shadows import shadow_reports
from registry.services.models import find_model


class CrossingBody(serializers.Serializer[Any]):
    """Rows that the champion called this and the shadow that."""

    heard = serializers.CharField()
    shadow = serializers.CharField()
    rows = serializers.IntegerField()


class AgreementBody(serializers.Serializer[Any]):
    """How often both said the same; rows without an answer of the shadow count as different.

    ``low`` is what the share is at least with 95 %. Numbers are the same ``within`` this much of each other.
    ``difference`` is the mean absolute one of the numbers, scores or probabilities behind the answers.
    """

    rows = serializers.IntegerField()
    share = serializers.FloatField()
    low = serializers.FloatField()
    within = serializers.FloatField(allow_null=True)
    difference = serializers.FloatField(allow_null=True)
    largest = serializers.FloatField(allow_null=True)
    crossings = CrossingBody(many=True)


class ShadowTimesBody(serializers.Serializer[Any]):
    """Times for a single row, both taken beside the requests, one after the other."""

    rows = serializers.IntegerField()
    p50_ms = serializers.FloatField()
    p95_ms = serializers.FloatField()
    champion_p50_ms = serializers.FloatField()
    champion_p95_ms = serializers.FloatField()


class ComparisonBody(serializers.Serializer[Any]):
    """The paired test on rows whose outcome is known; ``passed``: a loss beyond the margin is ruled out."""

    what = serializers.CharField()
    candidate = serializers.FloatField()
    champion = serializers.FloatField()
    difference = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    margin = serializers.FloatField()
    rows = serializers.IntegerField()
    test = serializers.CharField()
    passed = serializers.BooleanField()


class ShadowBody(serializers.Serializer[Any]):
    """One version in the champion's shadow.

    ``rows`` it was asked, ``failed`` of them in vain; ``dropped`` ones, over all time, it was never asked.
    All else follows from the newest ``compared`` rows, and is null where there is nothing to tell it from.
    """

    version = serializers.IntegerField(source="version.number")
    champion = serializers.IntegerField(source="heard.number")
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    rows = serializers.IntegerField()
    failed = serializers.IntegerField()
    failure = serializers.CharField()
    dropped = serializers.IntegerField()
    dropped_for = serializers.CharField()
    compared = serializers.IntegerField()
    agreement = AgreementBody(allow_null=True)
    times = ShadowTimesBody(allow_null=True)
    outcomes = serializers.IntegerField()
    comparison = ComparisonBody(allow_null=True)
    metric = serializers.CharField()
    value = serializers.FloatField(allow_null=True)
    champion_value = serializers.FloatField(source="heard_value", allow_null=True)


class ShadowsView(PlatformView):
    """Versions that answer in the champion's shadow."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(
        parameters=[WindowQuery], responses=ShadowBody(many=True), operation_id="models_shadows_list"
    )
    def get(self, request: Request, name: str) -> Response:
        """Hold each against the champion over a window, by default its last seven days, newest first."""
        query = WindowQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        found = shadow_reports(find_model(name), **query.validated_data)
        return Response(ShadowBody(found, many=True).data)
