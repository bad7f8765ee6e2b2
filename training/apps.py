"""Configuration of the training app."""

from django.apps import AppConfig

from training.receivers import call_helpers
from training.signals import help_wanted


class TrainingConfig(AppConfig):
    """The training part of the loop."""

    name = "training"
    verbose_name = "Training"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen for searches that several workers may share."""
        help_wanted.connect(call_helpers, dispatch_uid="training.call_helpers")
