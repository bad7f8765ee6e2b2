"""The server's own routes of the Open Inference Protocol, below /v2/."""

from django.urls import path

from monitoring.api.health import InferenceLiveView, InferenceReadyView

urlpatterns = [
    path("health/live", InferenceLiveView.as_view(), name="live"),
    path("health/ready", InferenceReadyView.as_view(), name="ready"),
]
