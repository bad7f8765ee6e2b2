"""A model's retraining policy from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.db.models import BooleanField

from mlplatform.errors import InvalidInput
from mlplatform.management.base import TenantCommand
from monitoring.models import RetrainingPolicy
from monitoring.services.policies import FIELDS, policy_of, update_policy
from monitoring.services.previews import DAYS, Preview, preview_policy, preview_words, rollback_line
from registry.services.models import find_model


class Command(TenantCommand):
    """Shows and changes a policy, and tells what it would have done."""

    help = (
        "Show a model's retraining policy, after changing the fields that are named; or preview the change."
    )
    example = "python manage.py policy --tenant clinic --model diagnosis --set max_age_days=14 --preview"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the model, the fields, and whether only to look."""
        parser.add_argument("--model", required=True, metavar="NAME", help="The model's name.")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="FIELD=VALUE",
            help=f"Change a field; empty where it can be none. Fields: {', '.join(FIELDS)}.",
        )
        parser.add_argument(
            "--preview",
            type=int,
            nargs="?",
            const=DAYS,
            metavar="DAYS",
            help=f"Tell what it would have done over the last days ({DAYS}); nothing is changed.",
        )

    def run_for_tenant(self, **options: Any) -> Any:
        """Change or preview what is named, and return the policy or the preview."""
        model = find_model(options["model"])
        changes = dict(_change(text) for text in options["set"])
        if options["preview"] is not None:
            return _told(preview_policy(model=model, days=options["preview"], **changes))
        policy = update_policy(model=model, by=self.actor, **changes) if changes else policy_of(model)
        return {"model": model.name, **{name: getattr(policy, name) for name in FIELDS}}


def _change(text: str) -> tuple[str, Any]:
    """Return a field's name and its value from ``name=value``; raises InvalidInput or ValidationError."""
    name, equals, value = text.partition("=")
    if not equals or name not in FIELDS:
        raise InvalidInput(f"{text!r} is no change. Write FIELD=VALUE with one of {', '.join(FIELDS)}.")
    column = RetrainingPolicy._meta.get_field(name)
    if isinstance(column, BooleanField):
        value = value.capitalize()  # true as well as True
    empty = not value and getattr(column, "null", False)
    return name, None if empty else column.to_python(value)  # type: ignore[union-attr]  # a column


def _told(preview: Preview) -> dict[str, Any]:
    replayed = preview.replayed
    return {
        "model": preview.policy.model.name,
        "since": replayed.since,
        "until": replayed.until,
        "retrainings": replayed.retrainings,
        "really": preview.really,
        "says": preview_words(preview),
        "decisions": [
            {
                "at": one.at,
                "last": one.last,
                "rule": one.call.cause.value,
                "does": "retrain" if one.code is None else one.code,
                "reason": one.sentence,
            }
            for one in replayed.decisions
        ],
        "rollbacks": [rollback_line(one) for one in preview.rollbacks],
    }
