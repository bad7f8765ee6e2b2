"""Routes of this app's REST endpoints, below /api/v1/."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
