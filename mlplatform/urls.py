"""Where everything is: the console under /admin/, the REST API under /api/v1/, Open Inference under /v2."""

from csp.decorators import csp
from django.contrib.admin import autodiscover
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularSwaggerSplitView

from mlplatform.admin.passwords import SetPasswordView
from mlplatform.admin.site import console
from mlplatform.api.document import DocumentView
from mlplatform.api.problems import bad_request, not_found, server_error
from mlplatform.headers import API_DOCS_POLICY
from monitoring.api.metrics import prometheus
from registry.api.open_inference import ServerMetadataView

autodiscover()  # the pages of the console

docs = SpectacularSwaggerSplitView.as_view(url_name="api:schema", http_method_names=["get", "head"])
api_v1: list[URLPattern | URLResolver] = [
    path("", include("mlplatform.tenancy.api.urls")),
    path("", include("registry.api.urls")),
    path("", include("training.api.urls")),
    path("", include("feedback.api.urls")),
    path("", include("monitoring.api.urls")),
    path("schema/", DocumentView.as_view(), name="schema"),
    path(
        "docs/",
        csp(API_DOCS_POLICY)(docs),
        name="docs",
    ),
]

v2: list[URLPattern | URLResolver] = [
    path("", include("registry.api.open_inference_urls")),
    path("", include("monitoring.api.open_inference_urls")),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("set-password/<uidb64>/<token>/", SetPasswordView.as_view(), name="set-password"),
    path("account/", include("mlplatform.identity.urls")),
    path("admin/", console.urls),
    path("api/v1/", include((api_v1, "api"))),
    path("metrics", prometheus, name="metrics"),
    path("v2", ServerMetadataView.as_view(), name="inference-server"),
    path("v2/", include((v2, "open-inference"))),
]

handler400 = bad_request
handler404 = not_found
handler500 = server_error
