"""Endpoints for what checks have found: drift reports, snapshots, decisions."""

from django.db.models import QuerySet
from rest_framework import mixins, viewsets
from rest_framework.serializers import BaseSerializer

from mlplatform.tenancy.permissions import Capability
from monitoring.api import filters
from monitoring.api.serializers import DecisionBody, DriftReportBody, DriftReportDetail, SnapshotBody
from monitoring.models import DriftReport, PerformanceSnapshot, RetrainingDecision

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
    capabilities = READ
    queryset = RetrainingDecision.all_tenants.none()

    def get_queryset(self) -> QuerySet[RetrainingDecision]:
        """Return the tenant's decisions."""
        decisions = RetrainingDecision.objects.select_related("model", "job__version")
        return decisions.defer("job__version__reference", "job__version__features")
