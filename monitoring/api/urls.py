"""Routes of monitoring's REST endpoints, below /api/v1/."""

from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from monitoring.api.alerts import AlertRuleViewSet, AlertViewSet
from monitoring.api.health import LiveView, ReadyView, StatusView
from monitoring.api.models import ChecksView, DriftView, LogTreatmentView, PerformanceView, PolicyView
from monitoring.api.reports import DecisionViewSet, DriftReportViewSet, SnapshotViewSet

router = SimpleRouter(trailing_slash=False)
router.register("alerts", AlertViewSet, basename="alert")
router.register("alert-rules", AlertRuleViewSet, basename="alert-rule")
router.register("drift-reports", DriftReportViewSet, basename="drift-report")
router.register("performance-snapshots", SnapshotViewSet, basename="performance-snapshot")
router.register("decisions", DecisionViewSet, basename="decision")

urlpatterns: list[URLPattern | URLResolver] = [
    path("models/<str:name>/checks", ChecksView.as_view(), name="checks"),
    path("models/<str:name>/treat-log", LogTreatmentView.as_view(), name="treat-log"),
    path("models/<str:name>/performance", PerformanceView.as_view(), name="performance"),
    path("models/<str:name>/drift", DriftView.as_view(), name="drift"),
    path("models/<str:name>/policy", PolicyView.as_view(), name="policy"),
    path("health/live", LiveView.as_view(), name="health-live"),
    path("health/ready", ReadyView.as_view(), name="health-ready"),
    path("system/status", StatusView.as_view(), name="system-status"),
    *router.urls,
]
