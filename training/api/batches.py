"""Batch jobs over REST: a file, a dataset or a source in, a file of answers out."""

from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.authentication import asking
from mlplatform.api.views import PlatformView, StrictSerializer, actor
from mlplatform.tenancy.downloads import as_download
from mlplatform.tenancy.permissions import Capability, demand
from registry.inference.bounds import DEFAULT_COVERAGE, LEAST_COVERAGE, MOST_COVERAGE
from registry.services.datasets import find_dataset
from registry.services.models import find_model
from training.api.filters import BatchFilter
from training.api.parsers import UploadParser
from training.api.serializers import NamesField
from training.batching.writing import MEDIA_TYPES
from training.models import BatchJob, BatchPart, FileForm, OnBadRow
from training.services.batch_options import MOST_REASONS, parsed_options
from training.services.batches import ERRORS_TYPE, cancel_batch, fetch_answers, fetch_errors, find_batch
from training.services.sources import find_source
from training.tasks import submit_batch

LARGEST = 2**63 - 1
OF_OPTIONS = ("keep", "keep_all", "key", "probabilities", "reasons", "coverage", "log")
WHOSE_ROWS = "The rows of a dataset or a source are data."


class BatchRequest(StrictSerializer):
    """What to answer (one of file, dataset, source), by whom, and what stands in the file of answers."""

    file = serializers.FileField(
        required=False, allow_empty_file=True, help_text="CSV with a header line, Parquet or JSON Lines."
    )
    dataset = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST)
    source: Any = serializers.IntegerField(required=False, min_value=1, max_value=LARGEST)
    version = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1)
    alias = serializers.CharField(required=False, max_length=50, help_text="Of the version: challenger.")
    format = serializers.ChoiceField(choices=FileForm.choices, default=FileForm.CSV)
    on_bad_row = serializers.ChoiceField(
        choices=OnBadRow.choices, default=OnBadRow.FAIL, help_text="Where a row does not fit the model."
    )
    keep = NamesField(help_text="Columns of the input that stand beside the answers.")
    keep_all = serializers.BooleanField(default=False, help_text="Keep every column of the input.")
    key = serializers.CharField(
        required=False, max_length=200, help_text="The column with your names for the cases; it is kept."
    )
    probabilities = serializers.BooleanField(default=True, help_text="One column for each class.")
    reasons = serializers.IntegerField(
        default=0, min_value=0, max_value=MOST_REASONS, help_text="How many columns that moved each answer."
    )
    intervals = serializers.BooleanField(
        default=False, help_text="Write an interval, or the possible classes, that holds the truth."
    )
    coverage = serializers.FloatField(
        required=False, min_value=LEAST_COVERAGE, max_value=MOST_COVERAGE, help_text="Of intervals (0.9)."
    )
    log = serializers.BooleanField(default=False, help_text="Write each answer to the prediction log, too.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take a version or an alias, and a coverage of intervals alone."""
        if attrs.pop("intervals"):
            attrs.setdefault("coverage", DEFAULT_COVERAGE)
        elif "coverage" in attrs:
            raise serializers.ValidationError({"coverage": ["Says nothing without intervals: true."]})
        if "alias" in attrs and "version" in attrs:
            raise serializers.ValidationError({"alias": ["Name a version or an alias, not both."]})
        return attrs


class BatchPartBody(serializers.ModelSerializer[BatchPart]):
    """A part of a batch: the reading of the input, a piece of it, or the joining of all."""

    class Meta:
        model = BatchPart
        fields = ["number", "kind", "state", "attempt", "worker", "rows", "bad_rows", "started_at",
                  "finished_at"]  # fmt: skip
        read_only_fields = fields


class BatchSummary(serializers.ModelSerializer[BatchJob]):
    """A batch as lists show it."""

    model = serializers.CharField(source="model.name", read_only=True)
    version = serializers.IntegerField(source="version.number", read_only=True)
    format = serializers.ChoiceField(source="form", choices=FileForm.choices, read_only=True)

    class Meta:
        model = BatchJob
        fields = [
            "id", "model", "version", "asked", "dataset", "source", "input_name", "input_bytes", "format",
            "on_bad_row", "state", "rows", "bad_rows", "error_code", "error", "output_bytes", "created_at",
            "created_by", "started_at", "finished_at", "expires_at",
        ]  # fmt: skip
        read_only_fields = fields


class BatchBody(BatchSummary):
    """A batch in full; ``has_errors`` tells whether there is a file of bad rows."""

    options = serializers.DictField(read_only=True)
    progress = serializers.IntegerField(read_only=True, help_text="Percent.")
    parts = BatchPartBody(many=True, read_only=True)
    has_errors = serializers.SerializerMethodField()

    class Meta(BatchSummary.Meta):
        fields = [*BatchSummary.Meta.fields, "options", "progress", "output_hash", "has_errors", "parts"]
        read_only_fields = fields

    def get_has_errors(self, job: BatchJob) -> bool:
        """Tell whether the second file can be fetched."""
        return bool(job.errors_file)


class BatchesView(PlatformView, ListAPIView[BatchJob]):
    """A model's batch jobs."""

    capabilities = {"get": Capability.VIEW, "post": Capability.PREDICT}
    of_a_model = True
    queryset = BatchJob.all_tenants.none()
    serializer_class = BatchSummary
    filterset_class = BatchFilter
    parser_classes = [UploadParser, JSONParser]

    def get_queryset(self) -> QuerySet[BatchJob]:
        """Return the batches of the model in the path."""
        model = find_model(self.kwargs["name"])
        unneeded = ("version__reference", "version__features", "version__evaluation", "version__importance")
        return BatchJob.objects.filter(model=model).select_related("model", "version").defer(*unneeded)

    @extend_schema(
        request={"multipart/form-data": BatchRequest, "application/json": BatchRequest},
        responses={201: BatchBody},
    )
    def post(self, request: Request, name: str) -> Response:
        """Queue answers for every row; follow them at /models/{name}/batches/{id}."""
        model = self.permitted(find_model(name))
        asked = self.validated(BatchRequest)
        dataset, source = asked.get("dataset"), asked.get("source")
        if dataset or source:
            demand(asking(request), Capability.DATA, WHOSE_ROWS)
        file = asked.get("file")
        job = submit_batch(
            model=model,
            by=actor(request),
            options=parsed_options(**{option: asked.get(option) for option in OF_OPTIONS}),
            file=file,
            filename="" if file is None else file.name,
            dataset=find_dataset(dataset) if dataset else None,
            source=find_source(source) if source else None,
            number=asked.get("version"),
            alias=asked.get("alias"),
            form=asked["format"],
            on_bad_row=asked["on_bad_row"],
        )
        return Response(BatchBody(job).data, status=status.HTTP_201_CREATED)


class OneBatchView(PlatformView):
    """A view of one batch of the model in the path."""

    of_a_model = True

    def found(self, name: str, pk: int) -> BatchJob:
        """Return the batch where the asker may use it as stated; raises BatchNotFound."""
        return self.permitted(find_batch(pk, find_model(name)))


class BatchView(PlatformView):
    """One batch."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(responses=BatchBody)
    def get(self, request: Request, name: str, pk: int) -> Response:
        """Show the batch with its progress and parts."""
        return Response(BatchBody(find_batch(pk, find_model(name))).data)


class BatchCancelView(OneBatchView):
    """Cancelling a batch."""

    capabilities = {"post": Capability.PREDICT}

    @extend_schema(request=None, responses=BatchBody)
    def post(self, request: Request, name: str, pk: int) -> Response:
        """End the batch at once; its workers stop within seconds, and no answers are kept."""
        return Response(BatchBody(cancel_batch(job=self.found(name, pk), by=actor(request))).data)


class BatchDownloadView(OneBatchView):
    """A batch's answers."""

    capabilities = {"get": Capability.PREDICT}

    @extend_schema(responses={(200, one): OpenApiTypes.BINARY for one in MEDIA_TYPES.values()}, filters=False)
    def get(self, request: Request, name: str, pk: int) -> StreamingHttpResponse:
        """Send the file of answers: a line for every row of the input, in its order."""
        return as_download(fetch_answers(job=self.found(name, pk), by=actor(request)))


class BatchErrorsView(OneBatchView):
    """A batch's bad rows."""

    capabilities = {"get": Capability.PREDICT}

    @extend_schema(responses={(200, ERRORS_TYPE): OpenApiTypes.BINARY}, filters=False)
    def get(self, request: Request, name: str, pk: int) -> StreamingHttpResponse:
        """Send the CSV file that says which rows have no answer, and why; rows count from 1."""
        return as_download(fetch_errors(job=self.found(name, pk), by=actor(request)))
