"""The routes of the Open Inference Protocol that are about models, below /v2/."""

from django.urls import path

from registry.api.open_inference import InferView, ModelMetadataView, ModelReadyView

NAMED = "models/<str:name>"
NUMBERED = f"{NAMED}/versions/<str:version>"

urlpatterns = [
    path(NAMED, ModelMetadataView.as_view(), name="model"),
    path(f"{NAMED}/ready", ModelReadyView.as_view(), name="model-ready"),
    path(f"{NAMED}/infer", InferView.as_view(), name="infer"),
    path(NUMBERED, ModelMetadataView.as_view(), name="version"),
    path(f"{NUMBERED}/ready", ModelReadyView.as_view(), name="version-ready"),
    path(f"{NUMBERED}/infer", InferView.as_view(), name="version-infer"),
]
