"""Versions and jobs side by side, over REST."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import PlatformView
from mlplatform.tenancy.permissions import Capability
from training.pages.side_by_side import comparison_data
from training.services.contenders import find_contenders
from training.services.side_by_side import compare


class KeysField(serializers.ListField):
    """Ids of rows, none or a few."""

    def __init__(self) -> None:
        key = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
        super().__init__(child=key, max_length=5, required=False, default=list)


class Contenders(serializers.Serializer[Any]):
    """Ids of versions and of jobs."""

    version = KeysField()
    job = KeysField()


class CompareView(PlatformView):
    """Two to five versions or jobs side by side."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(
        parameters=[
            OpenApiParameter("version", OpenApiTypes.INT, many=True, description="A version's id."),
            OpenApiParameter("job", OpenApiTypes.INT, many=True, description="A job's id."),
        ],
        responses=OpenApiTypes.OBJECT,
        filters=False,
    )
    def get(self, request: Request) -> Response:
        """Compare settings, data, scores on rows that none has seen, and test the difference row by row.

        A job stands for the version that it made; without one it shows its settings, data, state and error.
        """
        asked = Contenders(data={name: request.query_params.getlist(name) for name in ("version", "job")})
        asked.is_valid(raise_exception=True)
        chosen = find_contenders(versions=asked.validated_data["version"], jobs=asked.validated_data["job"])
        return Response(comparison_data(compare(chosen)))
