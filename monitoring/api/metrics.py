"""How models and system are: for the tenant's staff as JSON, for the operator's Prometheus as its text."""

import secrets
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.authentication import asking
from mlplatform.api.views import PlatformView
from mlplatform.tenancy.models import User
from mlplatform.tenancy.permissions import Capability
from monitoring.services.exposition import CONTENT_TYPE
from monitoring.services.health_spans import Strip
from monitoring.services.model_health import health_of_models
from monitoring.services.status import system_status
from monitoring.services.system_health import health_of_system
from monitoring.services.system_metrics import prometheus_text


class HealthBody(serializers.Serializer[Any]):
    """How something is, and was over the last 24 hours.

    ``state`` is ``good``, ``idle`` (not asked, or nothing is deployed), ``warn``, ``bad``, or null where
    nothing was written down of late. ``cells`` are the states of the last 288 times five minutes, the oldest
    first.
    """

    name = serializers.CharField()
    state = serializers.CharField(allow_null=True)
    reasons = serializers.ListField(child=serializers.CharField())
    words = serializers.CharField(allow_blank=True)
    looked_at = serializers.DateTimeField(allow_null=True)
    cells = serializers.ListField(child=serializers.CharField(allow_null=True))


class MetricsBody(serializers.Serializer[Any]):
    """The tenant's models and figures; ``system`` is null but for platform administrators."""

    at = serializers.DateTimeField()
    models = HealthBody(many=True)
    counts = serializers.DictField(child=serializers.IntegerField())
    jobs_queued = serializers.IntegerField()
    jobs_running = serializers.IntegerField()
    system = HealthBody(many=True, allow_null=True)


class MetricsView(PlatformView):
    """How the models are, and the installation for its operator."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(responses=MetricsBody)
    def get(self, request: Request) -> Response:
        """Tell how each model that one may see is and was, written down every five minutes."""
        now, status, principal = timezone.now(), system_status(), asking(request)
        owner = isinstance(principal, User) and principal.is_superuser
        body = {
            "at": now,
            "models": [_told(model.name, strip) for model, strip in health_of_models(now)],
            "counts": status.counts,
            "jobs_queued": status.jobs_queued,
            "jobs_running": status.jobs_running,
            "system": [_told(part, strip) for part, strip in health_of_system(now)] if owner else None,
        }
        return Response(MetricsBody(body).data)


@require_safe
def prometheus(request: HttpRequest) -> HttpResponse:
    """Answer the operator's Prometheus, which has ML_METRICS_TOKEN.

    Nobody else: it tells the names of every tenant's models, which a platform administrator who is no member
    does not see either.
    """
    if not _is_operator(request):
        return HttpResponse(
            "Send the operator's token (ML_METRICS_TOKEN): Authorization: Bearer TOKEN.\n",
            status=401,
            content_type="text/plain; charset=utf-8",
            headers={"WWW-Authenticate": 'Bearer realm="metrics"'},
        )
    return HttpResponse(prometheus_text(timezone.now()), content_type=CONTENT_TYPE)


def _is_operator(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if not settings.METRICS_TOKEN or scheme.lower() != "bearer":
        return False
    return secrets.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())


def _told(name: str, strip: Strip) -> dict[str, Any]:
    now = strip.now
    return {
        "name": name,
        "state": now and now.state,
        "reasons": now.reasons if now else [],
        "words": now.words if now else "",
        "looked_at": now and now.ends,
        "cells": [one.state for one in strip.cells],
    }
