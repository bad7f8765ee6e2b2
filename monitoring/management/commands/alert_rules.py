"""Alert rules from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db.models import BooleanField

from mlplatform.errors import InvalidInput
from mlplatform.management.base import TenantCommand
from monitoring.models import AlertRule
from monitoring.models.alert import AlertMetric
from monitoring.services.rules import create_rule, delete_rule, find_rule, update_rule
from monitoring.services.watching import limit_words
from registry.services.models import find_model

FIELDS = (
    "threshold",
    "comparison",
    "severity",
    "window_hours",
    "required",
    "out_of",
    "slice",
    "minimum_rows",
    "cooldown_minutes",
    "no_data_hours",
    "escalate_after_minutes",
    "enabled",
)


class Command(TenantCommand):
    """``manage.py alert_rules``."""

    help = "List the alert rules, make one, or show, change, switch or delete one."
    example = (
        "python manage.py alert_rules --tenant clinic --create error_rate --model diagnosis --set "
        "threshold=0.02 --set severity=critical\n"
        "  python manage.py alert_rules --tenant clinic --update 4 --set window_hours=24\n"
        "  python manage.py alert_rules --tenant clinic --disable 4"
    )

    def add_options(self, parser: ArgumentParser) -> None:
        """Add one option for each thing to do, and what a rule is made of."""
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--create",
            choices=AlertMetric.values,
            metavar="METRIC",
            help=f"One of {', '.join(AlertMetric.values)}.",
        )
        for name, told in (
            ("show", "Show this rule."),
            ("update", "Change what --set names."),
            ("enable", "Switch it on."),
            ("disable", "Switch it off: its alerts are resolved by the next check."),
            ("delete", "Delete it; its alerts stay as history."),
        ):
            what.add_argument(f"--{name}", type=int, metavar="ID", help=told)
        parser.add_argument("--model", metavar="NAME", help="Of a new rule; or list this model's alone.")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="FIELD=VALUE",
            help=f"What the rule demands. Fields: {', '.join(FIELDS)}.",
        )

    def run_for_tenant(self, **options: Any) -> Any:
        """Do what was asked and return the rule, or all rules."""
        given = dict(_change(text) for text in options["set"])
        if options["create"] is not None:
            return self._created(options["create"], options["model"], given)
        for name in ("show", "update", "enable", "disable", "delete"):
            if options[name] is not None:
                return self._done(name, find_rule(options[name]), given)
        rules = AlertRule.objects.select_related("model")
        if options["model"]:
            rules = rules.filter(model=find_model(options["model"]))
        return [_line(rule) for rule in rules]

    def _created(self, metric: str, model: str | None, given: dict[str, Any]) -> dict[str, Any]:
        if model is None or "threshold" not in given:
            raise CommandError("A new rule needs --model NAME and --set threshold=VALUE.")
        return _whole(create_rule(model=find_model(model), metric=metric, by=self.actor, **given))

    def _done(self, name: str, rule: AlertRule, given: dict[str, Any]) -> dict[str, Any]:
        match name:
            case "update":
                if not given:
                    raise CommandError("Say what to change with --set FIELD=VALUE.")
                rule = update_rule(rule=rule, by=self.actor, **given)
            case "enable" | "disable":
                rule = update_rule(rule=rule, by=self.actor, enabled=name == "enable")
            case "delete":
                key = rule.pk
                delete_rule(rule=rule, by=self.actor)
                return {"deleted": key}
        return _whole(rule)


def _change(text: str) -> tuple[str, Any]:
    """Return a field's name and its value from ``name=value``; raises InvalidInput or ValidationError."""
    name, equals, value = text.partition("=")
    if not equals or name not in FIELDS:
        raise InvalidInput(f"{text!r} is no change. Write FIELD=VALUE with one of {', '.join(FIELDS)}.")
    column = AlertRule._meta.get_field(name)
    if isinstance(column, BooleanField):
        value = value.capitalize()  # true as well as True
    return name, column.to_python(value)  # type: ignore[union-attr]  # a column


def _line(rule: AlertRule) -> dict[str, Any]:
    return {
        "id": rule.pk,
        "model": rule.model.name,
        "metric": rule.metric,
        "alerts": limit_words(rule),
        "severity": rule.severity,
        "enabled": rule.enabled,
    }


def _whole(rule: AlertRule) -> dict[str, Any]:
    return {**_line(rule), **{name: getattr(rule, name) for name in FIELDS}}
