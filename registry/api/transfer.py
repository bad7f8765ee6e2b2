"""Models and versions as files, out and in, over REST."""

import json
from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.authentication import asking
from mlplatform.api.negotiation import AnyFormat
from mlplatform.api.parsers import FileParser
from mlplatform.api.views import PlatformView, StrictSerializer, actor
from mlplatform.tenancy.downloads import as_download
from mlplatform.tenancy.permissions import Capability, demand
from mlplatform.tenancy.services.audit_export import Export
from registry.api.representations import VersionBody
from registry.services.datasets import find_dataset
from registry.services.foreign_versions import ForeignModel, import_version
from registry.services.listings import versions_overview
from registry.services.model_export import archive_download
from registry.services.model_import import import_model
from registry.services.models import find_model
from registry.services.version_export import ExportFormat, export_version
from registry.services.versions import find_version

BINARY = {(200, "application/zip"): OpenApiTypes.BINARY}
ROWS_LEAVE = "Only admins take out the rows that a model was trained on."
MAY_RUN = "What is imported as champion answers at once."


class JsonText(serializers.JSONField):
    """JSON as a text of a form; raises ValidationError where it is not of the ``kind``."""

    def __init__(self, kind: type, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)
        self._kind = kind

    def to_internal_value(self, data: Any) -> Any:
        """Return the value."""
        try:
            value = json.loads(data) if isinstance(data, str) else data
        except (ValueError, RecursionError) as error:
            raise serializers.ValidationError("Send valid JSON.") from error
        if not isinstance(value, self._kind):
            name = "a list" if self._kind is list else "an object"
            raise serializers.ValidationError(f"Send {name} in JSON.")
        return value


class ModelArchive(StrictSerializer):
    """An archive, the name of the model that it becomes, and whether its champion runs at once."""

    file = serializers.FileField(help_text="What an export of a model wrote.")
    name = serializers.CharField(max_length=100, required=False, help_text="Its own name where left out.")
    champion = serializers.BooleanField(required=False, default=False)


class ForeignVersion(StrictSerializer):
    """A skops or ONNX file, and what it takes and answers."""

    file = serializers.FileField(help_text="skops or ONNX; told by its content.")
    dataset = serializers.IntegerField(
        required=False, help_text="Its columns are the version's, and its rows measure it."
    )
    columns = JsonText(list, help_text='[{"name": "age", "type": "numeric"}, ...] in the file\'s order.')
    classes = JsonText(list, help_text='["no", "yes"], in the order of the probabilities; skops says so.')
    example = JsonText(dict, help_text="A row to try the version on, where there is no dataset.")
    origin = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)

    def validate_columns(self, value: list[Any]) -> list[Any]:
        """Refuse what is no list of objects."""
        if not all(isinstance(one, dict) for one in value):
            raise serializers.ValidationError("Send a list of objects with name and type.")
        return value


class ImportedModelBody(serializers.Serializer[Any]):
    """What an import made."""

    model = serializers.CharField()
    versions = serializers.IntegerField()
    deployments = serializers.IntegerField(help_text="Changes of what ran there, kept as history.")
    datasets = serializers.IntegerField()
    files = serializers.IntegerField()
    signed_by = serializers.CharField(help_text="The trusted installation that signed the archive.")
    champion = serializers.IntegerField(allow_null=True, help_text="What answers here now.")
    champion_before = serializers.IntegerField(allow_null=True, help_text="What answered there.")
    damaged = serializers.ListField(child=serializers.IntegerField())
    note = serializers.CharField()


class ModelExportView(PlatformView):
    """A model as an archive."""

    capabilities = {"get": Capability.TRAIN}
    of_a_model = True

    @extend_schema(
        parameters=[OpenApiParameter("data", bool, description="With the rows; for admins.")],
        responses=BINARY,
    )
    def get(self, request: Request, name: str) -> StreamingHttpResponse:
        """Send the model with all versions, history and artefacts, signed by this installation."""
        model = self.permitted(find_model(name))
        data = request.query_params.get("data", "").lower() in {"true", "1", "yes"}
        if data:
            demand(asking(request), Capability.ADMIN, ROWS_LEAVE, model)
        return as_download(archive_download(model=model, by=actor(request), data=data))


class ModelImportView(PlatformView):
    """A model from an archive."""

    capabilities = {"post": Capability.TRAIN}
    parser_classes = [FileParser]

    @extend_schema(request={"multipart/form-data": ModelArchive}, responses={201: ImportedModelBody})
    def post(self, request: Request) -> Response:
        """Make a new model of the archive: all of it or nothing."""
        asked = self.validated(ModelArchive)
        if asked["champion"]:
            demand(asking(request), Capability.APPROVE, MAY_RUN)
        done = import_model(
            source=asked["file"], by=actor(request), name=asked.get("name"), champion=asked["champion"]
        )
        return Response(ImportedModelBody(done).data, status=status.HTTP_201_CREATED)


class VersionExportView(PlatformView):
    """A version as a file."""

    capabilities = {"get": Capability.TRAIN}
    of_a_model = True
    content_negotiation_class = AnyFormat

    @extend_schema(
        parameters=[OpenApiParameter("format", str, enum=[one.value for one in ExportFormat])],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY, **BINARY},
    )
    def get(self, request: Request, name: str, number: int) -> StreamingHttpResponse:
        """Send the version as skops (the default), ONNX, or MLflow's model folder as a zip."""
        version = self.permitted(find_version(find_model(name), number))
        form = request.query_params.get("format", ExportFormat.SKOPS)
        done = export_version(version=version, form=form, by=actor(request))
        return as_download(Export(done.name, done.media_type, iter([done.data]), binary=True))


class VersionImportView(PlatformView):
    """A version that another program made."""

    capabilities = {"post": Capability.TRAIN}
    of_a_model = True
    parser_classes = [FileParser]

    @extend_schema(request={"multipart/form-data": ForeignVersion}, responses={201: VersionBody})
    def post(self, request: Request, name: str) -> Response:
        """Make the file the model's next version; pickles of any kind are refused."""
        model = self.permitted(find_model(name))
        asked = self.validated(ForeignVersion)
        number, upload = asked.get("dataset"), asked["file"]
        about = ForeignModel(
            columns=asked.get("columns", ()),
            classes=asked.get("classes", ()),
            dataset=None if number is None else find_dataset(number),
            example=asked.get("example", {}),
            origin=asked["origin"],
        )
        made = import_version(model=model, file=upload, filename=upload.name, about=about, by=actor(request))
        full = versions_overview(model).defer(None).get(pk=made.pk)
        return Response(VersionBody(full).data, status=status.HTTP_201_CREATED)
