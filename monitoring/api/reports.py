"""Endpoints for what checks have found: drift reports, snapshots, decisions."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from mlplatform.tenancy.permissions import Capability
from monitoring.api import filters
from monitoring.api.drift_bodies import DriftReportBody, DriftReportDetail
from monitoring.api.serializers import ChainBody, DecisionBody, SnapshotBody
from monitoring.models import DriftReport, PerformanceSnapshot, RetrainingDecision
from monitoring.services.chains import chain_of, decisions_overview

READ = {"list": Capability.VIEW, "retrieve": Capability.VIEW}
HEAVY = ("version__reference", "version__evaluation", "version__features")


class DriftReportViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[DriftReport]
):
    """Drift checks; one report alone shows its features too."""

    filterset_class = filters.DriftReportFilter
    capabilities = READ
    queryset = DriftReport.all_tenants.none()

    def get_queryset(self) -> QuerySet[DriftReport]:
        """Return the tenant's reports."""
        return DriftReport.objects.select_related("model", "version").defer(*HEAVY)

    def get_serializer_class(self) -> type[BaseSerializer[DriftReport]]:
        """Return the shape of a list's rows, or that of one report."""
        return DriftReportDetail if self.action == "retrieve" else DriftReportBody


class SnapshotViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[PerformanceSnapshot]
):
    """Realized quality as the checks have measured it."""

    serializer_class = SnapshotBody
    filterset_class = filters.SnapshotFilter
    capabilities = READ
    queryset = PerformanceSnapshot.all_tenants.none()

    def get_queryset(self) -> QuerySet[PerformanceSnapshot]:
        """Return the tenant's snapshots."""
        return PerformanceSnapshot.objects.select_related("model", "version").defer(*HEAVY)


class DecisionViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[RetrainingDecision]
):
    """What retraining policies have decided, and what came of it."""

    serializer_class = DecisionBody
    filterset_class = filters.DecisionFilter
    capabilities = {**READ, "chain": Capability.VIEW}
    queryset = RetrainingDecision.all_tenants.none()

    def get_queryset(self) -> QuerySet[RetrainingDecision]:
        """Return the tenant's decisions."""
        return decisions_overview()

    @extend_schema(responses=ChainBody)
    @action(detail=True, methods=["get"])
    def chain(self, request: Request, pk: str) -> Response:
        """Return the chain from alert to deployment: what led to the decision, and what it led to."""
        decision = self.get_object()
        return Response(ChainBody({"decision": decision, "stations": chain_of(decision)}).data)
