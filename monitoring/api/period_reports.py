"""Reports over a period, over REST: as data, as an HTML page, as PDF."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.authentication import asking
from mlplatform.api.views import PlatformView, StrictSerializer, actor
from mlplatform.tenancy.permissions import Capability, can
from monitoring.errors import InvalidReport
from monitoring.services.report_days import report_days
from monitoring.services.report_files import ReportForm, report_data, report_file
from monitoring.services.reports import make_report
from registry.models import RegisteredModel
from registry.services.models import find_model


class FileRenderer(BaseRenderer):
    """Sends a file as it is; what went wrong is a problem document in JSON all the same."""

    charset = None

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        """Return the body."""
        return data if isinstance(data, bytes) else JSONRenderer().render(data)


class ReportPageRenderer(FileRenderer):
    """A page that needs nothing beside it."""

    media_type, format = "text/html", "html"


class ReportPdfRenderer(FileRenderer):
    """The same as PDF."""

    media_type, format = "application/pdf", "pdf"


class ReportQuery(StrictSerializer):
    """Which days, both included, in the tenant's time zone; by default the thirty that end today."""

    since = serializers.DateField(required=False, help_text="The first day, for example 2026-01-01.")
    until = serializers.DateField(required=False, help_text="The last day.")
    format = serializers.ChoiceField(
        required=False, choices=["json", *ReportForm], help_text="In place of Accept."
    )


class ChapterBody(serializers.Serializer[Any]):
    """A heading, the articles of the AI Act that the chapter serves, and its blocks in order."""

    title = serializers.CharField()
    serves = serializers.ListField(child=serializers.CharField())
    blocks = serializers.ListField(
        child=serializers.DictField(),
        help_text="Each with its kind: sentence, facts, table, or picture (with an SVG).",
    )


class PeriodReportBody(serializers.Serializer[Any]):
    """A report: what it says, and under what circumstances it was made."""

    title = serializers.CharField()
    model = serializers.CharField(allow_null=True)
    since = serializers.DateField()
    until = serializers.DateField()
    time_zone = serializers.CharField()
    content_hash = serializers.CharField(help_text="SHA-256 of all but how and when it was made.")
    about = serializers.DictField(child=serializers.CharField())
    verdict = serializers.ListField(child=serializers.CharField())
    chapters = ChapterBody(many=True)
    made = serializers.DictField(child=serializers.CharField())


class PeriodReportView(PlatformView):
    """What both reports share: the days and the form that are asked for."""

    renderer_classes = [JSONRenderer, ReportPageRenderer, ReportPdfRenderer]

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Choose the form by ``format``, else by ``Accept``; an unknown form is refused by its name."""
        asked = request.query_params.get("format")
        known = [renderer.format for renderer in self.renderer_classes]
        if asked is not None and asked not in known and not force:
            raise InvalidReport(f"A report has no form {asked[:40]!r}. Choose from: {', '.join(known)}.")
        return super().perform_content_negotiation(request, force)

    def answer(self, request: Request, model: RegisteredModel | None) -> Response:
        """Make the report and send it in the form that was asked for."""
        given = ReportQuery(data=request.query_params.dict())
        given.is_valid(raise_exception=True)
        days = report_days(given.validated_data.get("since"), given.validated_data.get("until"))
        trail = can(asking(request), Capability.ADMIN, model)
        form = str(request.accepted_renderer.format)
        report = make_report(days=days, by=actor(request), form=form, model=model, trail=trail)
        if form not in set(ReportForm):
            return Response(report_data(report, days, model))
        file = report_file(report, form)
        headers = {"Content-Disposition": f'attachment; filename="{file.name}"', "Cache-Control": "no-store"}
        return Response(file.content, headers=headers)


RESPONSES = {
    (200, "application/json"): PeriodReportBody,
    (200, "text/html"): OpenApiTypes.STR,
    (200, "application/pdf"): OpenApiTypes.BINARY,
}


class ModelReportView(PeriodReportView):
    """The report on one model."""

    capabilities = {"get": Capability.VIEW}
    of_a_model = True

    @extend_schema(parameters=[ReportQuery], responses=RESPONSES)
    def get(self, request: Request, name: str) -> Response:
        """Tell of performance, drift, data, fairness, alerts, deployments, retraining and oversight.

        Entries of the audit trail are quoted for those who may read it. That a report was made is recorded.
        """
        return self.answer(request, self.permitted(find_model(name)))


class TenantReportView(PeriodReportView):
    """The report on all models of the tenant."""

    capabilities = {"get": Capability.ADMIN}

    @extend_schema(parameters=[ReportQuery], responses=RESPONSES)
    def get(self, request: Request) -> Response:
        """Tell how every model did, what happened and who oversaw it. That it was made is recorded."""
        return self.answer(request, None)
