"""The project package: settings, tenancy, and the glue that every app shares."""

from mlplatform.celery import app as celery_app

__all__ = ["celery_app"]
