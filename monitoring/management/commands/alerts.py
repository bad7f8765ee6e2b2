"""Alerts from the command line."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.utils import timezone

from mlplatform.management.base import TenantCommand
from monitoring.models import Alert
from monitoring.models.alert import UNRESOLVED
from monitoring.services.alert_care import assign, find_owner, snooze, wake
from monitoring.services.alerts import acknowledge, find_alert, resolve
from registry.services.models import find_model

MOST = 200


class Command(TenantCommand):
    """``manage.py alerts``."""

    help = "List alerts that are not resolved, or show, acknowledge, snooze, assign or resolve one."
    example = (
        "python manage.py alerts --tenant north-clinic --model diagnosis\n"
        '  python manage.py alerts --tenant clinic --snooze 7 --hours 12 --reason "The scanner is serviced"'
    )

    def add_options(self, parser: ArgumentParser) -> None:
        """Add one option for each thing to do."""
        what = parser.add_mutually_exclusive_group()
        for name, told in (
            ("show", "Show this alert with its evidence."),
            ("acknowledge", "Say that somebody looks after it."),
            ("snooze", "Tell nobody of it for --hours."),
            ("wake", "End its sleep now."),
            ("assign", "Give it to the member named by --owner."),
            ("resolve", "Close it; its rule then stays silent for its cooldown."),
        ):
            what.add_argument(f"--{name}", type=int, metavar="ID", help=told)
        parser.add_argument("--hours", type=float, default=8.0, help="With --snooze: for how long (8).")
        parser.add_argument("--owner", default="", metavar="ADDRESS", help="With --assign; empty for nobody.")
        parser.add_argument("--reason", default="", help="With --snooze or --resolve: why.")
        parser.add_argument("--model", help="List this model's alerts only.")
        parser.add_argument("--all", action="store_true", help="List resolved alerts, too.")

    def run_for_tenant(self, **options: Any) -> Any:
        """Do what was asked, and return the alert, or the list."""
        for name in ("show", "acknowledge", "snooze", "wake", "assign", "resolve"):
            if options[name] is not None:
                return _told(self._done(name, find_alert(options[name]), options))
        alerts = Alert.objects.select_related("model", "owner__user")
        if options["model"]:
            alerts = alerts.filter(model=find_model(options["model"]))
        if not options["all"]:
            alerts = alerts.filter(state__in=UNRESOLVED)
        return [_line(alert) for alert in alerts[:MOST]]

    def _done(self, name: str, alert: Alert, options: dict[str, Any]) -> Alert:
        by, reason = self.actor, options["reason"]
        match name:
            case "acknowledge":
                return acknowledge(alert=alert, by=by)
            case "snooze":
                until = timezone.now() + timedelta(hours=min(options["hours"], 10_000.0))
                return snooze(alert=alert, until=until, reason=reason, by=by)
            case "wake":
                return wake(alert=alert, by=by)
            case "assign":
                return assign(alert=alert, owner=find_owner(options["owner"]), by=by)
            case "resolve":
                return resolve(alert=alert, by=by, reason=reason)
        return alert


def _line(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.pk,
        "severity": alert.severity,
        "state": alert.state,
        "snoozed_until": alert.snoozed_until if alert.is_snoozed else None,
        "owner": alert.owner.email if alert.owner else None,
        "model": alert.model.name,
        "title": alert.title,
        "last_seen": alert.last_seen_at,
    }


def _told(alert: Alert) -> dict[str, Any]:
    pictures = ("pictures", "history")
    figures = {name: value for name, value in alert.evidence.items() if name not in pictures}
    return {**_line(alert), "message": alert.message, "evidence": figures}
