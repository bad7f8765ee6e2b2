"""Data sources over REST."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import PlatformView, actor
from mlplatform.tenancy.permissions import Capability
from registry.models import RegisteredModel
from registry.services.models import find_model
from training.api.filters import SourceFilter
from training.api.representations import ImportedDataset, PreviewBody, SourceBody
from training.api.source_serializers import SourceChange, SourceRequest, SourceTrial
from training.models import DataSource
from training.services.snapshots import preview_source, snapshot_in_request, try_source
from training.services.sources import create_source, delete_source, find_source, update_source


def _model(asked: dict[str, Any]) -> RegisteredModel | None:
    name = asked.pop("model", None)
    return find_model(name) if name else None


class SourcesView(PlatformView, ListAPIView[DataSource]):
    """The tenant's data sources."""

    capabilities = {"get": Capability.VIEW, "post": Capability.DATA}
    queryset = DataSource.all_tenants.none()
    serializer_class = SourceBody
    filterset_class = SourceFilter

    def get_queryset(self) -> QuerySet[DataSource]:
        """Return the active tenant's sources."""
        return DataSource.objects.select_related("model")

    @extend_schema(request=SourceRequest, responses={201: SourceBody})
    def post(self, request: Request) -> Response:
        """Write a source down. Nobody is asked yet: see /sources/try."""
        asked = self.validated(SourceRequest)
        source = create_source(model=_model(asked), by=actor(request), **asked)
        return Response(SourceBody(source).data, status=status.HTTP_201_CREATED)


class SourceTryView(PlatformView):
    """Trying a source before it is written down."""

    capabilities = {"post": Capability.DATA}

    @extend_schema(request=SourceTrial, responses=PreviewBody, filters=False)
    def post(self, request: Request) -> Response:
        """Ask for the first 20 rows and their columns; nothing is kept."""
        asked = self.validated(SourceTrial)
        return Response(PreviewBody(try_source(model=_model(asked), by=actor(request), **asked)).data)


class SourceView(PlatformView):
    """One data source."""

    capabilities = {"get": Capability.VIEW, "patch": Capability.DATA, "delete": Capability.DATA}

    @extend_schema(responses=SourceBody)
    def get(self, request: Request, pk: int) -> Response:
        """Show the source; of its credential only whether there is one."""
        return Response(SourceBody(find_source(pk)).data)

    @extend_schema(request=SourceChange, responses=SourceBody)
    def patch(self, request: Request, pk: int) -> Response:
        """Change it; where it leads elsewhere then, the secret must be given again."""
        source = self.permitted(find_source(pk))
        changes = self.validated(SourceChange)
        return Response(SourceBody(update_source(source=source, changes=changes, by=actor(request))).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Forget the source and its credential; its snapshots stay."""
        delete_source(source=self.permitted(find_source(pk)), by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class SourcePreviewView(PlatformView):
    """A look at a source."""

    capabilities = {"post": Capability.DATA}

    @extend_schema(request=None, responses=PreviewBody)
    def post(self, request: Request, pk: int) -> Response:
        """Ask for the first 20 rows and their columns; personal columns come as they would be kept."""
        source = self.permitted(find_source(pk))
        return Response(PreviewBody(preview_source(source=source, by=actor(request))).data)


class SourceSnapshotView(PlatformView):
    """Snapshots of a source."""

    capabilities = {"post": Capability.DATA}

    @extend_schema(request=None, responses={200: ImportedDataset, 201: ImportedDataset})
    def post(self, request: Request, pk: int) -> Response:
        """Ask for all rows and freeze them; the same content again answers 200 with its dataset."""
        found = snapshot_in_request(source=self.permitted(find_source(pk)), by=actor(request))
        body = {**ImportedDataset(found.dataset).data, "created": found.created}
        return Response(body, status=status.HTTP_201_CREATED if found.created else status.HTTP_200_OK)
