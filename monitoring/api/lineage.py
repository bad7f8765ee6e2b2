"""Lineage over REST: nodes and edges, from a source, dataset, job, version or deployment."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import PlatformView, StrictSerializer
from mlplatform.tenancy.models import TenantModel
from mlplatform.tenancy.permissions import Capability
from monitoring.services.lineage import DEEPEST, DEPTH, Lineage, lineage_of
from registry.services.datasets import find_dataset
from registry.services.models import find_model
from registry.services.past import find_deployment
from registry.services.versions import find_version
from training.services.jobs import find_job
from training.services.sources import find_source


class LineageQuery(StrictSerializer):
    """Which way to look, and how far."""

    direction = serializers.ChoiceField(
        choices=["both", "up", "down"],
        required=False,
        default="both",
        help_text="up: what it came from; down: what it led to.",
    )
    depth = serializers.IntegerField(
        required=False, default=DEPTH, min_value=1, max_value=DEEPEST, help_text="How many links away."
    )


class LineageNodeBody(serializers.Serializer[Any]):
    """A row, or of predictions and outcomes how many there are; ``id`` is then that of their version."""

    key = serializers.CharField()
    kind = serializers.CharField()
    id = serializers.IntegerField(allow_null=True, help_text="Null where the node counts rows left out.")
    title = serializers.CharField()
    details = serializers.ListField(child=serializers.CharField())
    at = serializers.DateTimeField(allow_null=True)
    count = serializers.IntegerField(allow_null=True)


class LineageEdgeBody(serializers.Serializer[Any]):
    """From what leads to what follows, by their keys."""

    leads = serializers.CharField()
    follows = serializers.CharField()


class LineageBody(serializers.Serializer[Any]):
    """Where something came from, and what it led to."""

    start = serializers.CharField(help_text="The key of what was asked about.")
    nodes = LineageNodeBody(many=True)
    edges = LineageEdgeBody(many=True)
    complete = serializers.BooleanField(help_text="False where there is more, further away or beside.")


class LineageView(PlatformView):
    """The lineage of one thing."""

    capabilities = {"get": Capability.VIEW}

    def answer(self, request: Request, row: TenantModel) -> Response:
        """Return the row's lineage as the query asks for it."""
        asked = LineageQuery(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        return Response(LineageBody(_told(lineage_of(row, **asked.validated_data))).data)


class SourceLineageView(LineageView):
    """The lineage of a data source."""

    @extend_schema(parameters=[LineageQuery], responses=LineageBody)
    def get(self, request: Request, pk: int) -> Response:
        """Show what came of a data source."""
        return self.answer(request, find_source(pk))


class DatasetLineageView(LineageView):
    """The lineage of a dataset."""

    @extend_schema(parameters=[LineageQuery], responses=LineageBody)
    def get(self, request: Request, pk: int) -> Response:
        """Show where a dataset came from, and what came of it."""
        return self.answer(request, find_dataset(pk))


class JobLineageView(LineageView):
    """The lineage of a training job."""

    @extend_schema(parameters=[LineageQuery], responses=LineageBody)
    def get(self, request: Request, pk: int) -> Response:
        """Show what a job was started by and learnt from, and what came of it."""
        return self.answer(request, find_job(pk))


class VersionLineageView(LineageView):
    """The lineage of a version."""

    @extend_schema(parameters=[LineageQuery], responses=LineageBody)
    def get(self, request: Request, name: str, number: int) -> Response:
        """Show what a version was made from, and what came of it."""
        return self.answer(request, find_version(find_model(name), number))


class DeploymentLineageView(LineageView):
    """The lineage of a deployment."""

    @extend_schema(parameters=[LineageQuery], responses=LineageBody)
    def get(self, request: Request, name: str, pk: int) -> Response:
        """Show what was deployed, and what came of it."""
        return self.answer(request, find_deployment(find_model(name), pk))


def _told(found: Lineage) -> dict[str, Any]:
    nodes = [
        {
            "key": one.key,
            "kind": one.kind.value,
            "id": one.pk,
            "title": one.title,
            "details": list(one.lines),
            "at": one.at,
            "count": one.count,
        }
        for one in found.nodes.values()
    ]
    edges = [{"leads": leads, "follows": follows} for leads, follows in found.edges]
    return {"start": found.start, "nodes": nodes, "edges": edges, "complete": found.complete}
