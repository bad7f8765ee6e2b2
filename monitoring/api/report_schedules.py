"""Endpoints for reports that go out by mail."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import StrictSerializer, actor
from mlplatform.tenancy.permissions import Capability
from monitoring.api.filters import ReportScheduleFilter
from monitoring.models import ReportSchedule
from monitoring.models.report_schedule import ReportFiles, Rhythm
from monitoring.services import report_schedules as service
from monitoring.tasks import submit_report
from registry.services.models import find_model


class ReportScheduleChange(StrictSerializer):
    """What may be changed; what is left out stays."""

    name = serializers.CharField(max_length=100, required=False)
    model = serializers.CharField(
        max_length=100, required=False, allow_null=True, help_text="Whose; null for the whole tenant."
    )
    rhythm = serializers.ChoiceField(choices=Rhythm.choices, required=False)
    hour = serializers.IntegerField(
        min_value=0, max_value=23, required=False, help_text="Of the first day after, in the tenant's zone."
    )
    files = serializers.ChoiceField(choices=ReportFiles.choices, required=False)
    recipients = serializers.ListField(
        child=serializers.EmailField(),
        max_length=50,
        required=False,
        help_text="Addresses of members; none for the administrators.",
    )
    enabled = serializers.BooleanField(required=False)

    def validate_model(self, name: str | None) -> Any:
        """Return the model of this name; raises ModelNotFound."""
        return None if name is None else find_model(name)


class ReportScheduleRequest(ReportScheduleChange):
    """A new schedule."""

    name = serializers.CharField(max_length=100)


class ReportScheduleBody(serializers.ModelSerializer[ReportSchedule]):
    """A schedule, and how far it has come."""

    model = serializers.CharField(source="model.name", default=None, allow_null=True, read_only=True)

    class Meta:
        model = ReportSchedule
        fields = (
            "id",
            "name",
            "model",
            "rhythm",
            "hour",
            "files",
            "recipients",
            "enabled",
            "next_try_at",
            "attempts",
            "settled",
            "last_sent_at",
            "last_error",
            "created_at",
            "created_by",
        )
        read_only_fields = fields


class ReportScheduleViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[ReportSchedule]
):
    """Reports that go out by mail at the end of each week, month or quarter."""

    serializer_class = ReportScheduleBody
    filterset_class = ReportScheduleFilter
    capabilities = dict.fromkeys(
        ("list", "retrieve", "create", "partial_update", "destroy", "send"), Capability.ADMIN
    )
    queryset = ReportSchedule.all_tenants.none()

    def get_queryset(self) -> QuerySet[ReportSchedule]:
        """Return the tenant's schedules."""
        return service.schedules_of_reports()

    @extend_schema(request=ReportScheduleRequest, responses={201: ReportScheduleBody})
    def create(self, request: Request) -> Response:
        """Write a schedule down; its first report is of the period that runs now."""
        body = ReportScheduleRequest(data=request.data)
        body.is_valid(raise_exception=True)
        made = service.create_report_schedule(by=actor(request), **body.validated_data)
        return Response(ReportScheduleBody(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ReportScheduleChange, responses=ReportScheduleBody)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change it; with another rhythm or hour, the next report is of the period that runs then."""
        body = ReportScheduleChange(data=request.data)
        body.is_valid(raise_exception=True)
        changed = service.update_report_schedule(
            schedule=self.get_object(), changes=body.validated_data, by=actor(request)
        )
        return Response(ReportScheduleBody(changed).data)

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete it; what was sent stays sent."""
        service.delete_report_schedule(schedule=self.get_object(), by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses={202: ReportScheduleBody})
    @action(detail=True, methods=["post"])
    def send(self, request: Request, pk: str) -> Response:
        """Have the report of the period that ended last sent once more, to everybody."""
        asked = submit_report(schedule=self.get_object(), by=actor(request))
        return Response(ReportScheduleBody(asked).data, status=status.HTTP_202_ACCEPTED)
