"""Routes of the outcomes' and the persons' REST endpoints, below /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from feedback.api.bulk import LabelDelayView, OutcomesInBulkView
from feedback.api.subjects import ErasureViewSet, SubjectExportView, SubjectSearchView
from feedback.api.views import OutcomeViewSet

router = SimpleRouter(trailing_slash=False)
router.register("outcomes", OutcomeViewSet, basename="outcome")
router.register("erasures", ErasureViewSet, basename="erasure")

urlpatterns = [
    path("outcomes/bulk", OutcomesInBulkView.as_view(), name="outcomes-bulk"),
    path("models/<str:name>/label-delay", LabelDelayView.as_view(), name="label-delay"),
    path("subjects/search", SubjectSearchView.as_view(), name="subject-search"),
    path("subjects/export", SubjectExportView.as_view(), name="subject-export"),
    *router.urls,
]
