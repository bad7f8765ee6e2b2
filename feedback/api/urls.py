"""Routes of the outcomes' and the persons' REST endpoints, below /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from feedback.api.bulk import LabelDelayView, OutcomesInBulkView
from feedback.api.held import HeldCountsView, HeldOutcomeViewSet, RatingViewSet
from feedback.api.labelling import (
    LabelAgreementView,
    LabelItemViewSet,
    LabellingQueueView,
    LabelsView,
)
from feedback.api.past import PastPredictionsView
from feedback.api.quarantines import FeedbackSettingsView, QuarantineViewSet
from feedback.api.subjects import ErasureViewSet, SubjectExportView, SubjectSearchView
from feedback.api.views import OutcomeViewSet

router = SimpleRouter(trailing_slash=False)
router.register("held-outcomes", HeldOutcomeViewSet, basename="held-outcome")
router.register("ratings", RatingViewSet, basename="rating")
router.register("outcomes", OutcomeViewSet, basename="outcome")
router.register("labelled", LabelItemViewSet, basename="labelled")
router.register("quarantines", QuarantineViewSet, basename="quarantine")
router.register("erasures", ErasureViewSet, basename="erasure")

urlpatterns = [
    path("outcomes/bulk", OutcomesInBulkView.as_view(), name="outcomes-bulk"),
    path("held-outcomes/counts", HeldCountsView.as_view(), name="held-outcome-counts"),
    path("models/<str:name>/label-delay", LabelDelayView.as_view(), name="label-delay"),
    path("models/<str:name>/past-predictions", PastPredictionsView.as_view(), name="past-predictions"),
    path("models/<str:name>/labelling-queue", LabellingQueueView.as_view(), name="labelling-queue"),
    path("models/<str:name>/labels", LabelsView.as_view(), name="labels"),
    path("models/<str:name>/label-agreement", LabelAgreementView.as_view(), name="label-agreement"),
    path("models/<str:name>/feedback-settings", FeedbackSettingsView.as_view(), name="feedback-settings"),
    path("subjects/search", SubjectSearchView.as_view(), name="subject-search"),
    path("subjects/export", SubjectExportView.as_view(), name="subject-export"),
    *router.urls,
]
