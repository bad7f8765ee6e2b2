"""Retraining schedules over REST."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import PlatformView, actor
from mlplatform.tenancy.permissions import Capability
from registry.services.models import find_model
from training.api.filters import ScheduleFilter
from training.api.representations import JobBody, ScheduleBody
from training.api.serializers import ScheduleChange, ScheduleRequest
from training.models import RetrainingSchedule
from training.services.schedules import (
    create_schedule,
    delete_schedule,
    find_schedule,
    pause_schedule,
    resume_schedule,
    schedules_overview,
    update_schedule,
)
from training.services.sources import find_source
from training.tasks import submit_schedule


def _with_source(asked: dict[str, Any]) -> dict[str, Any]:
    """Return what was asked with the source itself in place of its number."""
    number = asked.get("source")
    return {**asked, "source": find_source(number)} if number else asked


class SchedulesView(PlatformView, ListAPIView[RetrainingSchedule]):
    """The tenant's retraining schedules."""

    capabilities = {"get": Capability.VIEW, "post": Capability.MONITOR}
    of_a_model = True
    queryset = RetrainingSchedule.all_tenants.none()
    serializer_class = ScheduleBody
    filterset_class = ScheduleFilter

    def get_queryset(self) -> QuerySet[RetrainingSchedule]:
        """Return the active tenant's schedules."""
        return schedules_overview()

    @extend_schema(request=ScheduleRequest, responses={201: ScheduleBody})
    def post(self, request: Request) -> Response:
        """Retrain a model by a cron line or an interval from now on."""
        asked = self.validated(ScheduleRequest)
        model = self.permitted(find_model(asked.pop("model")))
        schedule = create_schedule(model=model, by=actor(request), **_with_source(asked))
        return Response(ScheduleBody(schedule).data, status=status.HTTP_201_CREATED)


class ScheduleView(PlatformView):
    """One schedule."""

    capabilities = {"get": Capability.VIEW, "patch": Capability.MONITOR, "delete": Capability.MONITOR}
    of_a_model = True

    @extend_schema(responses=ScheduleBody)
    def get(self, request: Request, pk: int) -> Response:
        """Show the schedule with its next five runs."""
        return Response(ScheduleBody(find_schedule(pk)).data)

    @extend_schema(request=ScheduleChange, responses=ScheduleBody)
    def patch(self, request: Request, pk: int) -> Response:
        """Change the name or the times."""
        changes = _with_source(self.validated(ScheduleChange))
        schedule = update_schedule(
            schedule=self.permitted(find_schedule(pk)), changes=changes, by=actor(request)
        )
        return Response(ScheduleBody(schedule).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Remove the schedule; jobs that it started stay."""
        delete_schedule(schedule=self.permitted(find_schedule(pk)), by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class SchedulePauseView(PlatformView):
    """Pausing a schedule."""

    capabilities = {"post": Capability.MONITOR}
    of_a_model = True

    @extend_schema(request=None, responses=ScheduleBody)
    def post(self, request: Request, pk: int) -> Response:
        """Stop firing until resumed."""
        return Response(
            ScheduleBody(pause_schedule(schedule=self.permitted(find_schedule(pk)), by=actor(request))).data
        )


class ScheduleResumeView(PlatformView):
    """Resuming a schedule."""

    capabilities = {"post": Capability.MONITOR}
    of_a_model = True

    @extend_schema(request=None, responses=ScheduleBody)
    def post(self, request: Request, pk: int) -> Response:
        """Fire again from now on."""
        return Response(
            ScheduleBody(resume_schedule(schedule=self.permitted(find_schedule(pk)), by=actor(request))).data
        )


class ScheduleRunView(PlatformView):
    """Running a schedule by hand."""

    capabilities = {"post": Capability.TRAIN}
    of_a_model = True

    @extend_schema(request=None, responses={201: JobBody})
    def post(self, request: Request, pk: int) -> Response:
        """Retrain at once, whatever the times say."""
        job = submit_schedule(schedule=self.permitted(find_schedule(pk)), by=actor(request))
        return Response(JobBody(job).data, status=status.HTTP_201_CREATED)
