"""Datasets over REST."""

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import PlatformView, actor
from mlplatform.tenancy.permissions import Capability
from registry.api.models import demand_for
from registry.api.serializers import ColumnsChange, DifferenceQuery, SchemaChange
from registry.models import Dataset
from registry.services.datasets import find_dataset
from registry.services.differences import dataset_before, dataset_difference
from registry.services.personal import dataset_marks, loosened, mark_dataset, personal_columns
from registry.services.schemas import edit_columns
from registry.tabular.schema import Treatment
from training.api.filters import DatasetFilter
from training.api.parsers import UploadParser
from training.api.representations import DatasetBody, DatasetSummary, ImportedDataset
from training.api.serializers import DatasetUpload
from training.services.datasets import import_file


class DatasetsView(PlatformView, ListAPIView[Dataset]):
    """The tenant's frozen datasets."""

    capabilities = {"get": Capability.VIEW, "post": Capability.DATA}
    queryset = Dataset.all_tenants.none()
    serializer_class = DatasetSummary
    filterset_class = DatasetFilter
    parser_classes = [UploadParser]

    def get_queryset(self) -> QuerySet[Dataset]:
        """Return the active tenant's datasets without what only one dataset's page shows."""
        return Dataset.objects.defer("columns", "profile")

    @extend_schema(
        request={"multipart/form-data": DatasetUpload}, responses={200: ImportedDataset, 201: ImportedDataset}
    )
    def post(self, request: Request) -> Response:
        """Freeze an uploaded file; the same content again answers 200 with the dataset that holds it."""
        sent = self.validated(DatasetUpload)
        upload = sent["file"]
        dataset, created = import_file(
            name=sent["name"],
            file=upload,
            filename=upload.name,
            by=actor(request),
            personal=personal_columns(**{kind: sent[kind] for kind in Treatment}),
            sheet=sent["sheet"],
        )
        body = {**DatasetBody(dataset).data, "created": created}
        return Response(body, status=status.HTTP_201_CREATED if created else status.HTTP_200_OK)


class DatasetView(PlatformView):
    """One dataset."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(responses=DatasetBody)
    def get(self, request: Request, pk: int) -> Response:
        """Show the dataset with its schema and profile."""
        return Response(DatasetBody(find_dataset(pk)).data)


class DatasetColumnsView(PlatformView):
    """A dataset's personal columns."""

    capabilities = {"patch": Capability.DATA}

    @extend_schema(request=ColumnsChange, responses=DatasetBody)
    def patch(self, request: Request, pk: int) -> Response:
        """Mark columns; null takes a mark off, which needs an admin. Other columns stay as they are."""
        dataset = self.permitted(find_dataset(pk))
        changes = self.validated(ColumnsChange)["columns"]
        demand_for(request, loosened(dataset_marks(dataset), changes), dataset)
        return Response(DatasetBody(mark_dataset(dataset=dataset, changes=changes, by=actor(request))).data)


class DatasetSchemaView(PlatformView):
    """What people know of a dataset's columns."""

    capabilities = {"patch": Capability.DATA}

    @extend_schema(request=SchemaChange, responses=DatasetBody)
    def patch(self, request: Request, pk: int) -> Response:
        """Change types, units and descriptions; the content stays, and so do versions trained on it."""
        dataset = self.permitted(find_dataset(pk))
        changes = self.validated(SchemaChange)["columns"]
        return Response(DatasetBody(edit_columns(dataset=dataset, changes=changes, by=actor(request))).data)


class DatasetDifferenceView(PlatformView):
    """What has changed from an earlier dataset to this one."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(parameters=[DifferenceQuery], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, pk: int) -> Response:
        """Compare with ``before``; without it with what this was made from, or the last of its name."""
        query = DifferenceQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        dataset, named = find_dataset(pk), query.validated_data.get("before")
        before = dataset_before(dataset) if named is None else find_dataset(named)
        return Response(dataset_difference(before=before, after=dataset))
