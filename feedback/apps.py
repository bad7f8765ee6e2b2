"""Configuration of the feedback app."""

from django.apps import AppConfig


class FeedbackConfig(AppConfig):
    """The feedback part of the loop."""

    name = "feedback"
    verbose_name = "Feedback"
    default_auto_field = "django.db.models.BigAutoField"
