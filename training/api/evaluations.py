"""What was measured of a version, over REST."""

from typing import Any

import msgspec
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import PlatformView
from mlplatform.tenancy.permissions import Capability
from registry.services.models import find_model
from registry.services.versions import find_version
from training.pages.report import report_response
from training.services.evaluations import find_evaluation


class EvaluationView(PlatformView):
    """How good a version is, and how sure that is."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, name: str, number: int) -> Response:
        """Show intervals, scores by class and group, curves, dependence, coverage."""
        version = find_version(find_model(name), number)
        found: dict[str, Any] = msgspec.to_builtins(find_evaluation(version))
        return Response({"model": name, "version": number, "metrics": version.metrics, **found})


class EvaluationReportView(PlatformView):
    """The evaluation to take along."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(responses={(200, "text/html"): OpenApiTypes.STR})
    def get(self, request: Request, name: str, number: int) -> HttpResponse:
        """Send the evaluation as one HTML file that needs nothing beside it."""
        return report_response(find_version(find_model(name), number))
