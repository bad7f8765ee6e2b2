"""Routes of this app's REST endpoints, below /api/v1/."""

from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from registry.api.aliases import AliasesView, AliasView
from registry.api.anonymised import AnonymisedView, AnonymityView
from registry.api.cards import ModelCardView, VersionCardView
from registry.api.demands import DemandsView
from registry.api.deployments import DeploymentsView, GatesView, PromoteView, RollbackView
from registry.api.explaining import ExplainView
from registry.api.finding import (
    BestVersionView,
    ChampionView,
    FoundVersionsView,
    ModelTagsView,
    VersionTagsView,
)
from registry.api.grants import GrantsView, GrantView
from registry.api.invocations import (
    AliveView,
    EndpointsView,
    EndpointView,
    InvocationsView,
    ServerVersionView,
)
from registry.api.models import ModelColumnsView, ModelsView, ModelView, VersionsView, VersionView
from registry.api.predictions import PredictionsView, PredictionView, PredictView
from registry.api.requests import ProposalsView, RequestViewSet
from registry.api.retention import (
    ModelRetentionView,
    RetentionPreviewView,
    RetentionRunView,
    RetentionView,
)
from registry.api.transfer import ModelExportView, ModelImportView, VersionExportView, VersionImportView

router = SimpleRouter(trailing_slash=False)
router.register("promotion-requests", RequestViewSet, basename="promotion-request")

urlpatterns: list[URLPattern | URLResolver] = [
    path("models", ModelsView.as_view(), name="models"),
    path("models/import", ModelImportView.as_view(), name="model-import"),
    path("models/<str:name>", ModelView.as_view(), name="model"),
    path("models/<str:name>/columns", ModelColumnsView.as_view(), name="model-columns"),
    path("models/<str:name>/versions", VersionsView.as_view(), name="versions"),
    path("models/<str:name>/versions/<int:number>", VersionView.as_view(), name="version"),
    path("models/<str:name>/export", ModelExportView.as_view(), name="model-export"),
    path("models/<str:name>/versions/import", VersionImportView.as_view(), name="version-import"),
    path(
        "models/<str:name>/versions/<int:number>/export", VersionExportView.as_view(), name="version-export"
    ),
    path("models/<str:name>/versions/<int:number>/tags", VersionTagsView.as_view(), name="version-tags"),
    path("models/<str:name>/versions/<int:number>/card", VersionCardView.as_view(), name="version-card"),
    path("models/<str:name>/card", ModelCardView.as_view(), name="model-card"),
    path("models/<str:name>/tags", ModelTagsView.as_view(), name="model-tags"),
    path("models/<str:name>/aliases", AliasesView.as_view(), name="aliases"),
    path("models/<str:name>/aliases/<str:alias>", AliasView.as_view(), name="alias"),
    path("models/<str:name>/best", BestVersionView.as_view(), name="best-version"),
    path("models/<str:name>/champion", ChampionView.as_view(), name="champion"),
    path("versions", FoundVersionsView.as_view(), name="found-versions"),
    path("models/<str:name>/gates", DemandsView.as_view(), name="model-gates"),
    path("models/<str:name>/gates/<int:number>", GatesView.as_view(), name="gates"),
    path("models/<str:name>/requests", ProposalsView.as_view(), name="proposals"),
    path("models/<str:name>/promote", PromoteView.as_view(), name="promote"),
    path("models/<str:name>/rollback", RollbackView.as_view(), name="rollback"),
    path("models/<str:name>/deployments", DeploymentsView.as_view(), name="deployments"),
    path("models/<str:name>/predict", PredictView.as_view(), name="predict"),
    path("models/<str:name>/explain", ExplainView.as_view(), name="explain"),
    path("models/<str:name>/invocations", InvocationsView.as_view(), name="invocations"),
    path("models/<str:name>/ping", AliveView.as_view(), name="ping"),
    path("models/<str:name>/health", AliveView.as_view(), name="model-health"),
    path("models/<str:name>/version", ServerVersionView.as_view(), name="server-version"),
    path("mlflow/endpoints/<str:name>/invocations", InvocationsView.as_view(), name="mlflow-invocations"),
    path("mlflow/api/2.0/endpoints/", EndpointsView.as_view(), name="mlflow-endpoints"),
    path("mlflow/api/2.0/endpoints/<str:name>", EndpointView.as_view(), name="mlflow-endpoint"),
    path("models/<str:name>/grants", GrantsView.as_view(), name="grants"),
    path("models/<str:name>/grants/<int:pk>", GrantView.as_view(), name="grant"),
    path("models/<str:name>/retention", ModelRetentionView.as_view(), name="model-retention"),
    path("retention", RetentionView.as_view(), name="retention"),
    path("retention/preview", RetentionPreviewView.as_view(), name="retention-preview"),
    path("retention/run", RetentionRunView.as_view(), name="retention-run"),
    path("datasets/<int:pk>/anonymity", AnonymityView.as_view(), name="anonymity"),
    path("datasets/<int:pk>/anonymised", AnonymisedView.as_view(), name="anonymised"),
    path("predictions", PredictionsView.as_view(), name="predictions"),
    path("predictions/<uuid:pk>", PredictionView.as_view(), name="prediction"),
    *router.urls,
]
