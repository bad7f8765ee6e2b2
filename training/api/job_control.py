"""What can be done with jobs beside starting and following them."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.authentication import asking
from mlplatform.api.views import PlatformView, StrictSerializer, actor
from mlplatform.tenancy.permissions import Capability, allowed_models
from registry.services.datasets import find_dataset
from registry.services.models import find_model
from registry.services.versions import find_version
from training.api.representations import JobBody
from training.api.serializers import JobSettings, PriorityField
from training.models.job import Priority
from training.services.jobs import find_job, request_cancel, set_priority
from training.services.repeating import Changes
from training.tasks import submit_clone, submit_reproduction, submit_retraining, submit_retry


class PriorityChange(StrictSerializer):
    """How urgent a waiting job is."""

    priority = PriorityField()


class RetrainingRequest(StrictSerializer):
    """How urgent the jobs are."""

    priority = PriorityField(required=False)


class CloneRequest(JobSettings):
    """What is to differ; all that is left out stays as it was."""

    dataset = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    priority = PriorityField(required=False)


class RetrainingBody(serializers.Serializer[Any]):
    """A model, and the job that retrains it or why there is none."""

    model = serializers.CharField(source="model.name")
    job = serializers.IntegerField(source="job.pk", allow_null=True, default=None)
    reason = serializers.CharField()


class JobControlView(PlatformView):
    """A view of one job that changes something."""

    capabilities = {"post": Capability.TRAIN, "patch": Capability.TRAIN}
    of_a_model = True


class JobCancelView(JobControlView):
    """Cancelling a job."""

    capabilities = {"post": Capability.TRAIN}

    @extend_schema(request=None, responses=JobBody)
    def post(self, request: Request, pk: int) -> Response:
        """Cancel a waiting job at once; a running one stops within two seconds and leaves no version."""
        return Response(JobBody(request_cancel(job=self.permitted(find_job(pk)), by=actor(request))).data)


class JobRetryView(JobControlView):
    """Running an ended job anew."""

    capabilities = {"post": Capability.TRAIN}

    @extend_schema(request=None, responses={201: JobBody})
    def post(self, request: Request, pk: int) -> Response:
        """Queue a job with the same data and settings as this one, which has ended."""
        job = submit_retry(job=self.permitted(find_job(pk)), by=actor(request))
        return Response(JobBody(job).data, status=status.HTTP_201_CREATED)


class JobCloneView(JobControlView):
    """Making a job like another one."""

    capabilities = {"post": Capability.TRAIN}

    @extend_schema(request=CloneRequest, responses={201: JobBody})
    def post(self, request: Request, pk: int) -> Response:
        """Queue a job like this one, with the changes that the body names."""
        like = self.permitted(find_job(pk))
        asked = self.validated(CloneRequest)
        dataset = find_dataset(asked.pop("dataset")) if "dataset" in asked else None
        changes = Changes(dataset=dataset, priority=asked.pop("priority", None), config=asked)
        job = submit_clone(job=like, changes=changes, by=actor(request))
        return Response(JobBody(job).data, status=status.HTTP_201_CREATED)


class JobPriorityView(JobControlView):
    """The urgency of a waiting job."""

    capabilities = {"put": Capability.TRAIN}

    @extend_schema(request=PriorityChange, responses=JobBody)
    def put(self, request: Request, pk: int) -> Response:
        """Let a waiting job come sooner or later among the tenant's own."""
        job = self.permitted(find_job(pk))
        priority = self.validated(PriorityChange)["priority"]
        return Response(JobBody(set_priority(job=job, priority=priority, by=actor(request))).data)


class ModelRetrainView(PlatformView):
    """Training a model again on what was learnt since."""

    capabilities = {"post": Capability.TRAIN}
    of_a_model = True

    @extend_schema(request=RetrainingRequest, responses={201: RetrainingBody(many=True)}, filters=False)
    def post(self, request: Request, name: str) -> Response:
        """Queue a training on the newest version's data and the outcomes since, as it was done last."""
        models = [self.permitted(find_model(name))]
        asked = self.validated(RetrainingRequest)
        return _answer(submit_retraining(models=models, by=actor(request), **asked))


class VersionReproduceView(PlatformView):
    """Building a version again from its record."""

    capabilities = {"post": Capability.TRAIN}
    of_a_model = True

    @extend_schema(request=None, responses={201: JobBody})
    def post(self, request: Request, name: str, number: int) -> Response:
        """Queue a job that trains the version again and compares the answers: its ``verdict`` says how."""
        version = self.permitted(find_version(find_model(name), number))
        job = submit_reproduction(version=version, by=actor(request))
        return Response(JobBody(job).data, status=status.HTTP_201_CREATED)


class TrainAllView(PlatformView):
    """Training all of a tenant's models again."""

    capabilities = {"post": Capability.TRAIN}

    @extend_schema(request=RetrainingRequest, responses={201: RetrainingBody(many=True)}, filters=False)
    def post(self, request: Request) -> Response:
        """Queue a training of every model that you may train; says for each its job, or why there is none."""
        asked = {"priority": Priority.LOW, **self.validated(RetrainingRequest)}
        models = list(allowed_models(asking(request), Capability.TRAIN).order_by("name"))
        return _answer(submit_retraining(models=models, by=actor(request), **asked))


def _answer(done: Any) -> Response:
    return Response(RetrainingBody(done, many=True).data, status=status.HTTP_201_CREATED)
