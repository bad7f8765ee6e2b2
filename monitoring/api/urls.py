"""Routes of monitoring's REST endpoints, below /api/v1/."""

from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from monitoring.api.alerts import AlertRuleViewSet, AlertViewSet
from monitoring.api.channels import ChannelViewSet, DeliveryViewSet
from monitoring.api.drift import DriftOverPeriodView, DriftSettingsView, DriftView
from monitoring.api.health import LiveView, ReadyView, StatusView
from monitoring.api.lineage import (
    DatasetLineageView,
    DeploymentLineageView,
    JobLineageView,
    SourceLineageView,
    VersionLineageView,
)
from monitoring.api.measured import (
    CalibrationView,
    DataQualityView,
    FairnessView,
    ModelUsageView,
    ServiceView,
    SlicesView,
    UsageView,
)
from monitoring.api.metrics import MetricsView
from monitoring.api.models import ChecksView, LogTreatmentView, PerformanceView
from monitoring.api.period_reports import ModelReportView, TenantReportView
from monitoring.api.policies import PolicyPreviewView, PolicyView
from monitoring.api.quality import QualityView
from monitoring.api.report_schedules import ReportScheduleViewSet
from monitoring.api.reports import DecisionViewSet, DriftReportViewSet, SnapshotViewSet
from monitoring.api.rollback_check import RollbackCheckView
from monitoring.api.rollouts import (
    PauseView,
    PromoteChallengerView,
    RampView,
    ResumeView,
    RolloutsView,
    RolloutView,
    StopView,
    WeighView,
)
from monitoring.api.shadows import ShadowsView

router = SimpleRouter(trailing_slash=False)
router.register("alerts", AlertViewSet, basename="alert")
router.register("alert-rules", AlertRuleViewSet, basename="alert-rule")
router.register("channels", ChannelViewSet, basename="channel")
router.register("deliveries", DeliveryViewSet, basename="delivery")
router.register("drift-reports", DriftReportViewSet, basename="drift-report")
router.register("performance-snapshots", SnapshotViewSet, basename="performance-snapshot")
router.register("report-schedules", ReportScheduleViewSet, basename="report-schedule")
router.register("decisions", DecisionViewSet, basename="decision")

urlpatterns: list[URLPattern | URLResolver] = [
    path("models/<str:name>/checks", ChecksView.as_view(), name="checks"),
    path("models/<str:name>/rollback-check", RollbackCheckView.as_view(), name="rollback-check"),
    path("models/<str:name>/treat-log", LogTreatmentView.as_view(), name="treat-log"),
    path("models/<str:name>/performance", PerformanceView.as_view(), name="performance"),
    path("models/<str:name>/quality", QualityView.as_view(), name="quality"),
    path("models/<str:name>/calibration", CalibrationView.as_view(), name="calibration"),
    path("models/<str:name>/data-quality", DataQualityView.as_view(), name="data-quality"),
    path("models/<str:name>/fairness", FairnessView.as_view(), name="fairness"),
    path("models/<str:name>/service", ServiceView.as_view(), name="service"),
    path("models/<str:name>/usage", ModelUsageView.as_view(), name="model-usage"),
    path("models/<str:name>/slices", SlicesView.as_view(), name="slices"),
    path("models/<str:name>/report", ModelReportView.as_view(), name="model-report"),
    path("report", TenantReportView.as_view(), name="tenant-report"),
    path("usage", UsageView.as_view(), name="usage"),
    path("models/<str:name>/shadows", ShadowsView.as_view(), name="shadows"),
    path("models/<str:name>/drift", DriftView.as_view(), name="drift"),
    path("models/<str:name>/drift-over-period", DriftOverPeriodView.as_view(), name="drift-over-period"),
    path("models/<str:name>/drift-settings", DriftSettingsView.as_view(), name="drift-settings"),
    path("models/<str:name>/policy", PolicyView.as_view(), name="policy"),
    path("models/<str:name>/policy/preview", PolicyPreviewView.as_view(), name="policy-preview"),
    path("sources/<int:pk>/lineage", SourceLineageView.as_view(), name="source-lineage"),
    path("datasets/<int:pk>/lineage", DatasetLineageView.as_view(), name="dataset-lineage"),
    path("jobs/<int:pk>/lineage", JobLineageView.as_view(), name="job-lineage"),
    path(
        "models/<str:name>/versions/<int:number>/lineage",
        VersionLineageView.as_view(),
        name="version-lineage",
    ),
    path(
        "models/<str:name>/deployments/<int:pk>/lineage",
        DeploymentLineageView.as_view(),
        name="deployment-lineage",
    ),
    path("models/<str:name>/rollouts", RolloutsView.as_view(), name="rollouts"),
    path("models/<str:name>/rollouts/<int:pk>", RolloutView.as_view(), name="rollout"),
    path("models/<str:name>/rollouts/<int:pk>/ramp", RampView.as_view(), name="rollout-ramp"),
    path("models/<str:name>/rollouts/<int:pk>/pause", PauseView.as_view(), name="rollout-pause"),
    path("models/<str:name>/rollouts/<int:pk>/resume", ResumeView.as_view(), name="rollout-resume"),
    path("models/<str:name>/rollouts/<int:pk>/stop", StopView.as_view(), name="rollout-stop"),
    path(
        "models/<str:name>/rollouts/<int:pk>/promote", PromoteChallengerView.as_view(), name="rollout-promote"
    ),
    path("models/<str:name>/rollouts/<int:pk>/weigh", WeighView.as_view(), name="rollout-weigh"),
    path("health/live", LiveView.as_view(), name="health-live"),
    path("health/ready", ReadyView.as_view(), name="health-ready"),
    path("system/metrics", MetricsView.as_view(), name="system-metrics"),
    path("system/status", StatusView.as_view(), name="system-status"),
    *router.urls,
]
