"""Routes of tenancy's REST endpoints, below /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from mlplatform.tenancy.api import views

router = SimpleRouter(trailing_slash=False)
router.register("members", views.MemberViewSet, basename="member")
router.register("api-keys", views.ApiKeyViewSet, basename="api-key")
router.register("audit", views.AuditEventViewSet, basename="audit")

urlpatterns = [path("whoami", views.WhoAmIView.as_view(), name="whoami"), *router.urls]
