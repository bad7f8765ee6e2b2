"""Where everything is: the console under /admin/, the REST API under /api/v1/."""

from django.urls import URLPattern, URLResolver, path

urlpatterns: list[URLPattern | URLResolver] = []
