"""Rollouts from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from mlplatform.management.base import TenantCommand
from monitoring.services.rollouts import tend
from registry.models import RegisteredModel, Rollout
from registry.models.rollout import RolloutKind, RolloutState, WhenGood
from registry.services import rollouts
from registry.services.models import find_model
from registry.services.rollout_plans import EXAMPLE, plan_from_text
from registry.services.versions import find_version

PLAN = EXAMPLE.replace("%", "%%")  # argparse fills in what stands behind a single one
JUDGING: dict[str, tuple[type[Any], str]] = {
    "margin": (float, "By how much it may be worse: of wrong labels, or in the target's unit."),
    "alpha": (float, "How often a wrong verdict is accepted (0.05)."),
    "minimum": (int, "Cases of either with an outcome, before it can be found good (100)."),
    "largest_error": (float, "Of numbers: errors beyond count as this one."),
    "critical_error": (float, "A single error of the challenger so large stops it at once."),
    "days": (float, "Undecided for so long, it ends (30)."),
}


class Command(TenantCommand):
    """Lists rollouts, starts one, and changes the one that is under way."""

    help = "A/B tests and canaries of a model: list, start, show, weigh, ramp, pause, resume, stop, promote."
    example = f'python manage.py rollouts --tenant clinic --model diagnosis --start 3 --plan "{EXAMPLE}"'

    def add_options(self, parser: ArgumentParser) -> None:
        """Add what to do, and by what to judge."""
        parser.add_argument("--model", required=True, metavar="NAME", help="The model's name.")
        doing = parser.add_mutually_exclusive_group()
        doing.add_argument("--start", type=int, metavar="NUMBER", help="Let this version answer some cases.")
        doing.add_argument("--show", type=int, metavar="ID", help="Show this rollout.")
        doing.add_argument("--ramp", metavar="PLAN", help=f"Change the share: {PLAN}.")
        for word, told in (
            ("weigh", "Weigh the outcomes now, and do what follows."),
            ("pause", "Give every case to the champion for now."),
            ("resume", "Go on after a pause."),
            ("stop", "End it: the champion answers every case again."),
            ("promote", "Make the challenger the champion now."),
        ):
            doing.add_argument(f"--{word}", action="store_true", help=told)
        parser.add_argument("--kind", choices=RolloutKind.values, default=RolloutKind.CANARY)
        parser.add_argument("--plan", metavar="PLAN", help=f"With --start: {PLAN}.")
        parser.add_argument("--when-good", choices=WhenGood.values, default=WhenGood.PROMOTE)
        parser.add_argument("--reason", default="", help="Kept in the history.")
        parser.add_argument("--override", action="store_true", help="With --promote: pass over failed gates.")
        for name, (kind, told) in JUDGING.items():
            parser.add_argument(f"--{name.replace('_', '-')}", type=kind, help=told)

    def run_for_tenant(self, **options: Any) -> Any:
        """Do what was asked for, and return the rollout, or the list."""
        model = find_model(options["model"])
        if options["start"] is not None:
            return self._started(model, options)
        if options["show"] is not None:
            return _told(rollouts.find_rollout(model, options["show"]))
        for word in ("ramp", "weigh", "pause", "resume", "stop", "promote"):
            if options[word]:
                return self._done(word, rollouts.active_rollout(model), options)
        return [_line(one) for one in rollouts.rollouts_overview().filter(model=model)[:200]]

    def _started(self, model: RegisteredModel, options: dict[str, Any]) -> dict[str, Any]:
        made = rollouts.start_rollout(
            model=model,
            challenger=find_version(model, options["start"]),
            kind=options["kind"],
            plan=plan_from_text(options["plan"]) if options["plan"] else None,
            when_good=options["when_good"],
            reason=options["reason"],
            by=self.actor,
            **{name: options[name] for name in JUDGING},
        )
        return _told(made)

    def _done(self, word: str, rollout: Rollout, options: dict[str, Any]) -> dict[str, Any]:
        by, reason = self.actor, options["reason"]
        match word:
            case "ramp":
                rollouts.ramp(rollout=rollout, plan=plan_from_text(options["ramp"]), by=by, reason=reason)
            case "weigh":
                tend(rollout=rollout, by=by)
            case "pause":
                rollouts.pause(rollout=rollout, by=by, reason=reason)
            case "resume":
                rollouts.resume(rollout=rollout, by=by, reason=reason)
            case "stop":
                rollouts.stop(rollout=rollout, by=by, reason=reason)
            case "promote":
                override = options["override"]
                rollouts.promote_challenger(rollout=rollout, by=by, reason=reason, override=override)
        return _told(rollouts.find_rollout(rollout.model, rollout.pk))


def _line(rollout: Rollout) -> dict[str, Any]:
    running = rollout.state == RolloutState.RUNNING
    return {
        "id": rollout.pk,
        "kind": rollout.kind,
        "challenger": rollout.challenger.number,
        "champion": rollout.champion.number,
        "state": rollout.state,
        "share": rollout.route.share(timezone.now()) if running else 0.0,
        "says": rollout.outcome or rollout.verdict.get("sentence", "Nothing was weighed yet."),
    }


def _told(rollout: Rollout) -> dict[str, Any]:
    verdict = {name: rollout.verdict.get(name) for name in ("decision", "difference", "low", "high")}
    return {
        **_line(rollout),
        **verdict,
        "steps": [f"{one['share']:g} from {one['at']}" for one in rollout.steps],
        "margin": rollout.margin,
        "minimum": rollout.minimum,
        "ends": rollout.ends_at,
    }
