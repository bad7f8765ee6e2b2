"""Routes of this app's REST endpoints, below /api/v1/."""

from django.urls import URLPattern, path

from training.api.batches import (
    BatchCancelView,
    BatchDownloadView,
    BatchErrorsView,
    BatchesView,
    BatchView,
)
from training.api.comparing import CompareView
from training.api.datasets import (
    DatasetColumnsView,
    DatasetDifferenceView,
    DatasetSchemaView,
    DatasetsView,
    DatasetView,
)
from training.api.evaluations import EvaluationReportView, EvaluationView
from training.api.job_control import (
    JobCancelView,
    JobCloneView,
    JobPriorityView,
    JobRetryView,
    ModelRetrainView,
    TrainAllView,
    VersionReproduceView,
)
from training.api.jobs import AlgorithmsView, DataCheckView, JobLogView, JobsView, JobView, SuggestionsView
from training.api.references import ReferenceView
from training.api.schedules import (
    SchedulePauseView,
    ScheduleResumeView,
    ScheduleRunView,
    SchedulesView,
    ScheduleView,
)
from training.api.sources import (
    SourcePreviewView,
    SourceSnapshotView,
    SourcesView,
    SourceTryView,
    SourceView,
)
from training.api.twins import TwinView

urlpatterns: list[URLPattern] = [
    path("datasets", DatasetsView.as_view(), name="datasets"),
    path("datasets/<int:pk>", DatasetView.as_view(), name="dataset"),
    path("datasets/<int:pk>/columns", DatasetColumnsView.as_view(), name="dataset-columns"),
    path("datasets/<int:pk>/difference", DatasetDifferenceView.as_view(), name="dataset-difference"),
    path("datasets/<int:pk>/schema", DatasetSchemaView.as_view(), name="dataset-schema"),
    path("sources", SourcesView.as_view(), name="sources"),
    path("sources/try", SourceTryView.as_view(), name="source-try"),
    path("sources/<int:pk>", SourceView.as_view(), name="source"),
    path("sources/<int:pk>/preview", SourcePreviewView.as_view(), name="source-preview"),
    path("sources/<int:pk>/snapshot", SourceSnapshotView.as_view(), name="source-snapshot"),
    path("models/<str:name>/batches", BatchesView.as_view(), name="batches"),
    path("models/<str:name>/batches/<int:pk>", BatchView.as_view(), name="batch"),
    path("models/<str:name>/batches/<int:pk>/cancel", BatchCancelView.as_view(), name="batch-cancel"),
    path("models/<str:name>/batches/<int:pk>/download", BatchDownloadView.as_view(), name="batch-download"),
    path("models/<str:name>/batches/<int:pk>/errors", BatchErrorsView.as_view(), name="batch-errors"),
    path("compare", CompareView.as_view(), name="compare"),
    path("algorithms", AlgorithmsView.as_view(), name="algorithms"),
    path("models/<str:name>/check-data", DataCheckView.as_view(), name="check-data"),
    path("models/<str:name>/suggest-algorithms", SuggestionsView.as_view(), name="suggest-algorithms"),
    path("models/<str:name>/compare-reference", ReferenceView.as_view(), name="compare-reference"),
    path(
        "models/<str:name>/versions/<int:number>/evaluation",
        EvaluationView.as_view(),
        name="version-evaluation",
    ),
    path(
        "models/<str:name>/versions/<int:number>/report",
        EvaluationReportView.as_view(),
        name="version-report",
    ),
    path("jobs", JobsView.as_view(), name="jobs"),
    path("jobs/<int:pk>", JobView.as_view(), name="job"),
    path("jobs/<int:pk>/cancel", JobCancelView.as_view(), name="job-cancel"),
    path("jobs/<int:pk>/retry", JobRetryView.as_view(), name="job-retry"),
    path("jobs/<int:pk>/clone", JobCloneView.as_view(), name="job-clone"),
    path("jobs/<int:pk>/priority", JobPriorityView.as_view(), name="job-priority"),
    path("models/<str:name>/retrain", ModelRetrainView.as_view(), name="model-retrain"),
    path("models/<str:name>/versions/<int:number>/twin", TwinView.as_view(), name="version-twin"),
    path(
        "models/<str:name>/versions/<int:number>/reproduce",
        VersionReproduceView.as_view(),
        name="version-reproduce",
    ),
    path("train-all", TrainAllView.as_view(), name="train-all"),
    path("jobs/<int:pk>/log", JobLogView.as_view(), name="job-log"),
    path("schedules", SchedulesView.as_view(), name="schedules"),
    path("schedules/<int:pk>", ScheduleView.as_view(), name="schedule"),
    path("schedules/<int:pk>/pause", SchedulePauseView.as_view(), name="schedule-pause"),
    path("schedules/<int:pk>/resume", ScheduleResumeView.as_view(), name="schedule-resume"),
    path("schedules/<int:pk>/run", ScheduleRunView.as_view(), name="schedule-run"),
]
