"""Routes of tenancy's REST endpoints, below /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from mlplatform.tenancy.api import views
from mlplatform.tenancy.api.api_keys import ApiKeyViewSet
from mlplatform.tenancy.api.teams import TeamViewSet
from mlplatform.tenancy.api.tokens import TokensView

router = SimpleRouter(trailing_slash=False)
router.register("members", views.MemberViewSet, basename="member")
router.register("api-keys", ApiKeyViewSet, basename="api-key")
router.register("teams", TeamViewSet, basename="team")
router.register("audit", views.AuditEventViewSet, basename="audit")

urlpatterns = [
    path("whoami", views.WhoAmIView.as_view(), name="whoami"),
    path("tokens", TokensView.as_view(), name="tokens"),
    path("tenant", views.TenantView.as_view(), name="tenant"),
    path("limits", views.LimitsView.as_view(), name="limits"),
    *router.urls,
]
