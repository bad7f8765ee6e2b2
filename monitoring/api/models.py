"""Endpoints below a model: check it, measure it."""

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import PlatformView, actor
from mlplatform.tenancy.permissions import Capability
from monitoring.api.serializers import (
    CheckBody,
    RealizedBody,
    WindowQuery,
)
from monitoring.errors import NothingDeployed
from monitoring.services.performance import realized
from monitoring.tasks import submit_checks, submit_treatment
from registry.services.models import find_model


class ChecksView(PlatformView):
    """Checks of one model."""

    capabilities = {"post": Capability.MONITOR}
    of_a_model = True

    @extend_schema(request=None, responses=CheckBody)
    def post(self, request: Request, name: str) -> Response:
        """Check the champion now: quality, drift, alerts, and whether to retrain."""
        return Response(
            CheckBody(submit_checks(model=self.permitted(find_model(name)), by=actor(request))).data
        )


class PerformanceView(PlatformView):
    """Realized quality of one model."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(parameters=[WindowQuery], responses=RealizedBody)
    def get(self, request: Request, name: str) -> Response:
        """Measure the champion over a window; without one, over that of the checks."""
        query = WindowQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        model = find_model(name)
        found = realized(model=model, **query.validated_data)
        if found is None:
            raise NothingDeployed(f"Model {model.name} has no champion. Promote a version first.")
        body = {
            "model": model.name,
            "version": found.version.number,
            "window_start": found.start,
            "window_end": found.end,
            "predictions": found.predictions,
            "log_share": model.log_share,
            "labelled": found.labelled,
            "primary_metric": model.problem.primary_metric,
            "metrics": found.metrics,
            "intervals": found.intervals,
            "holdout_metrics": found.version.metrics,
        }
        return Response(RealizedBody(body).data)


class LogTreatmentView(PlatformView):
    """Personal columns in what is logged already."""

    capabilities = {"post": Capability.ADMIN}
    of_a_model = True

    @extend_schema(request=None, responses={202: None})
    def post(self, request: Request, name: str) -> Response:
        """Have a worker apply the model's marks to its log; the audit trail tells when it is done."""
        submit_treatment(model=self.permitted(find_model(name)), by=actor(request))
        return Response(status=status.HTTP_202_ACCEPTED)
