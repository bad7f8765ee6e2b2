"""Configuration of the training app."""

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    """The training part of the loop."""

    name = "training"
    verbose_name = "Training"
    default_auto_field = "django.db.models.BigAutoField"
