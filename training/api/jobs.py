"""Training jobs and algorithms over REST."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.pagination import NewestFirst
from mlplatform.api.views import PlatformView, actor
from mlplatform.tenancy.permissions import Capability
from registry.services.datasets import find_dataset
from registry.services.models import find_model
from training.algorithms import ALGORITHMS, describe_params
from training.api.filters import JobFilter, LogFilter
from training.api.representations import (
    AlgorithmBody,
    FindingBody,
    JobBody,
    JobSummary,
    LogLineBody,
    SuggestionsBody,
)
from training.api.serializers import DataCheckRequest, JobRequest
from training.models import JobLogLine, OnSourceFailure, TrainingJob
from training.models.job import Priority
from training.services import suggesting
from training.services.checks import as_json, check_for_training
from training.services.jobs import find_job
from training.services.sources import find_source
from training.tasks import submit_job


class JobsView(PlatformView, ListAPIView[TrainingJob]):
    """The tenant's training jobs."""

    capabilities = {"get": Capability.VIEW, "post": Capability.TRAIN}
    of_a_model = True
    queryset = TrainingJob.all_tenants.none()
    serializer_class = JobSummary
    filterset_class = JobFilter

    def get_queryset(self) -> QuerySet[TrainingJob]:
        """Return the active tenant's jobs."""
        return TrainingJob.objects.select_related("model", "version").defer(
            "traceback", "version__reference", "version__features", "version__importance"
        )

    @extend_schema(request=JobRequest, responses={201: JobBody})
    def post(self, request: Request) -> Response:
        """Queue a training; follow it at /jobs/{id}."""
        asked = self.validated(JobRequest)
        model = self.permitted(find_model(asked.pop("model")))
        dataset, source = asked.pop("dataset", None), asked.pop("source", None)
        job = submit_job(
            model=model,
            dataset=find_dataset(dataset) if dataset else None,
            source=find_source(source) if source else None,
            on_source_failure=asked.pop("on_source_failure", OnSourceFailure.FAIL),
            priority=asked.pop("priority", Priority.NORMAL),
            config=asked,
            by=actor(request),
        )
        return Response(JobBody(job).data, status=status.HTTP_201_CREATED)


class JobView(PlatformView):
    """One training job."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(responses=JobBody)
    def get(self, request: Request, pk: int) -> Response:
        """Show the job with its progress and leaderboard."""
        return Response(JobBody(find_job(pk)).data)


class DataCheckView(PlatformView):
    """Whether a dataset is fit to train a model on."""

    capabilities = {"post": Capability.TRAIN}
    of_a_model = True

    @extend_schema(request=DataCheckRequest, responses=FindingBody(many=True), filters=False)
    def post(self, request: Request, name: str) -> Response:
        """Run the checks that every training begins with, and train nothing."""
        model = self.permitted(find_model(name))
        dataset = find_dataset(self.validated(DataCheckRequest)["dataset"])
        return Response(as_json(check_for_training(model=model, dataset=dataset)))


class SuggestionsView(PlatformView):
    """Which algorithms suit a dataset."""

    capabilities = {"post": Capability.TRAIN}
    of_a_model = True

    @extend_schema(request=DataCheckRequest, responses=SuggestionsBody, filters=False)
    def post(self, request: Request, name: str) -> Response:
        """Say which algorithms suit, why, and how long they will take; train nothing."""
        model = self.permitted(find_model(name))
        dataset = find_dataset(self.validated(DataCheckRequest)["dataset"])
        return Response(suggesting.as_json(*suggesting.suggestions_for(model=model, dataset=dataset)))


class OldestFirst(NewestFirst):
    """A log is read from its beginning."""

    ordering = "pk"


class JobLogView(PlatformView, ListAPIView[JobLogLine]):
    """A job's log."""

    capabilities = {"get": Capability.VIEW}
    queryset = JobLogLine.all_tenants.none()
    serializer_class = LogLineBody
    filterset_class = LogFilter
    pagination_class = OldestFirst

    def get_queryset(self) -> QuerySet[JobLogLine]:
        """Return the lines of the job in the path, oldest first."""
        return JobLogLine.objects.filter(job=find_job(self.kwargs["pk"]))


class AlgorithmsView(PlatformView):
    """What models can be trained with."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(responses=AlgorithmBody(many=True), filters=False)
    def get(self, request: Request) -> Response:
        """List the algorithms with the JSON Schema of their parameters."""
        table = [
            {
                "key": algorithm.key,
                "title": algorithm.title,
                "problems": sorted(algorithm.problems),
                "advice": algorithm.advice,
                "params": describe_params(algorithm),
            }
            for algorithm in ALGORITHMS.values()
        ]
        return Response(AlgorithmBody(table, many=True).data)
