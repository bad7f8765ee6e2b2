"""Endpoints of one model's drift: the newest report, and by which rule it is judged."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import PlatformView, actor
from mlplatform.tenancy.permissions import Capability
from monitoring.api.drift_bodies import (
    DriftReportDetail,
    DriftSettingsBody,
    DriftSettingsRequest,
    PeriodDriftBody,
)
from monitoring.api.quality import MeasuredView, SliceQuery
from monitoring.errors import NoReport
from monitoring.services.drift import latest_report
from monitoring.services.drift_settings import drift_settings_of, update_drift_settings
from monitoring.services.period_drift import drift_over
from registry.services.models import find_model


class DriftView(PlatformView):
    """Drift of one model."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(responses=DriftReportDetail)
    def get(self, request: Request, name: str) -> Response:
        """Return the newest report with each feature's score; 404 before the first one."""
        model = find_model(name)
        report = latest_report(model)
        if report is None:
            raise NoReport(
                f"Model {model.name} has no drift report yet. One needs about 30 predictions and a check: "
                f"POST /api/v1/models/{model.name}/checks."
            )
        return Response(DriftReportDetail(report).data)


class DriftOverPeriodView(MeasuredView):
    """Drift of one model over a period."""

    @extend_schema(parameters=[SliceQuery], responses=PeriodDriftBody)
    def get(self, request: Request, name: str) -> Response:
        """Compare what was asked in the period, in all or of one slice, with the training rows.

        A slice is held against its own training rows. 404 where nothing can be compared.
        """
        model, period, rest = self.asked(request, name, SliceQuery)
        report = drift_over(model=model, period=period, **rest)
        if report is None:
            raise NoReport(
                f"Nothing of model {model.name} can be compared: it was not asked in this period, or too few "
                "training rows are known. Choose a longer period, or the whole instead of a slice."
            )
        return Response(PeriodDriftBody(report).data)


class DriftSettingsView(PlatformView):
    """By which rule the drift of one model is judged."""

    capabilities = {"get": Capability.VIEW, "put": Capability.MONITOR}
    of_a_model = True

    @extend_schema(responses=DriftSettingsBody)
    def get(self, request: Request, name: str) -> Response:
        """Return the settings."""
        return Response(DriftSettingsBody(drift_settings_of(find_model(name))).data)

    @extend_schema(request=DriftSettingsRequest, responses=DriftSettingsBody)
    def put(self, request: Request, name: str) -> Response:
        """Change the settings; fields that are left out stay as they are. The next check follows them."""
        model = self.permitted(find_model(name))
        changes = self.validated(DriftSettingsRequest)
        changed = update_drift_settings(model=model, by=actor(request), **changes)
        return Response(DriftSettingsBody(changed).data)
