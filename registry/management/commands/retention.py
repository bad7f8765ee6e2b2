"""How long things are kept: show, choose, try, and run."""

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from mlplatform.errors import InvalidInput
from mlplatform.management.base import TenantCommand
from registry.models import RegisteredModel
from registry.services.models import find_model
from registry.services.retention import Part, apply_retention, survey_retention
from registry.services.retention_rules import change_retention, own_rules, parsed_choice, rules_of


class Command(TenantCommand):
    """Shows the rules, changes them, and tells or removes what is kept no longer."""

    help = (
        "Show how long things are kept, choose it, tell what would go now and why the rest stays "
        "(--dry-run), or remove it (--yes); the platform does so by itself once a day. What is or recently "
        "was deployed stays."
    )
    example = (
        "python manage.py retention --tenant clinic --keep versions.newest=5 predictions.days=30 --dry-run"
    )

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the rules, and whether to remove."""
        parser.add_argument("--model", metavar="NAME", help="One model's rules and things alone.")
        parser.add_argument(
            "--keep",
            nargs="+",
            default=[],
            metavar="RULE",
            help="KIND.days=30, KIND.days=never, KIND.newest=10, or KIND=usual for the wider rule again.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Tell what would go; remove nothing.")
        parser.add_argument("--yes", action="store_true", help="Remove it. This cannot be taken back.")

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Choose, then tell or remove."""
        if options["dry_run"] and options["yes"]:
            raise InvalidInput("Either --dry-run or --yes.")
        model = find_model(options["model"]) if options["model"] else None
        if options["keep"]:
            changes = parsed_choice(options["keep"], own_rules(model))
            change_retention(changes=changes, by=self.actor, model=model)
        if options["yes"]:
            done = apply_retention(now=timezone.now(), by=self.actor, model=model)
            return {"rules": _rules(model), "removed": [_gone(*one) for one in done.gone.items()]}
        if not options["dry_run"]:
            return {"rules": _rules(model)}
        parts = survey_retention(now=timezone.now(), model=model)
        return {
            "rules": _rules(model),
            "would_go": [_told(part) for part in parts if part.survey.going],
            "versions_and_datasets": [
                {"name": item.name, "verdict": "stays" if item.why else "goes", "why": item.why}
                for part in parts
                for item in (*part.survey.items, *part.survey.kept)
            ],
        }


def _rules(model: RegisteredModel | None) -> list[dict[str, Any]]:
    return [
        {"kind": name, "days": "never" if rule.days is None else rule.days, "newest": rule.newest}
        for name, rule in rules_of(model).items()
    ]


def _told(part: Part) -> dict[str, Any]:
    of = part.model.name if part.model else None
    return {"kind": part.kind.name, "model": of, "count": part.survey.going, "bytes": part.survey.bytes}


def _gone(kind: str, gone: Any) -> dict[str, Any]:
    return {"kind": kind, "count": gone.count, "bytes": gone.bytes}
