"""Configuration of the monitoring app."""

from importlib import import_module

from django.apps import AppConfig

from feedback.signals import rollout_outcomes_recorded
from monitoring.receivers import deliver_later, inspect_later, settle_later, weigh_later
from monitoring.signals import deliveries_waiting
from registry.signals import file_refused, version_registered


class MonitoringConfig(AppConfig):
    """The monitoring part of the loop."""

    name = "monitoring"
    verbose_name = "Monitoring"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen for versions, refused files, messages, outcomes; say how versions in shadow did."""
        import_module("monitoring.services.shadows")  # which provides the figures; models must be there first
        version_registered.connect(settle_later, dispatch_uid="monitoring.settle_later")
        deliveries_waiting.connect(deliver_later, dispatch_uid="monitoring.deliver_later")
        file_refused.connect(inspect_later, dispatch_uid="monitoring.inspect_later")
        rollout_outcomes_recorded.connect(weigh_later, dispatch_uid="monitoring.weigh_later")
