"""List training jobs, and cancel, repeat, clone or follow one."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from mlplatform.management.base import TenantCommand
from registry.services.datasets import find_dataset
from training.management.following import described, follow
from training.models import TrainingJob
from training.models.job import Priority
from training.services.jobs import find_job, request_cancel, set_priority
from training.services.repeating import Changes
from training.tasks import submit_clone, submit_retry

NEWEST = 30
OF_A_CLONE = ("dataset", "folds", "seed", "workers", "algorithm")


class Command(TenantCommand):
    """``manage.py jobs``."""

    help = "List the newest training jobs, or cancel, repeat, clone or follow one, or show its log."
    example = (
        "python manage.py jobs --tenant north-clinic\n"
        "  python manage.py jobs --tenant north-clinic --retry 12 --wait\n"
        "  python manage.py jobs --tenant north-clinic --clone 12 --folds 10 --dataset 4\n"
        "  python manage.py jobs --tenant north-clinic --urge 15 --priority high"
    )

    def add_options(self, parser: ArgumentParser) -> None:
        """Add one option for each thing to do, and what a clone changes."""
        what = parser.add_mutually_exclusive_group()
        for name, help_text in ACTIONS.items():
            what.add_argument(f"--{name}", type=int, metavar="ID", help=help_text)
        parser.add_argument("--after", type=int, default=0, metavar="LINE", help="Of a log: after this line.")
        parser.add_argument("--priority", choices=Priority.values, help="Of --urge, or of a clone.")
        parser.add_argument("--dataset", type=int, help="Of a clone: train on this dataset.")
        parser.add_argument("--folds", type=int, help="Of a clone: folds of the cross-validation.")
        parser.add_argument("--seed", type=int, help="Of a clone: seed of all that is random.")
        parser.add_argument("--workers", type=int, help="Of a clone: how many workers may share the search.")
        parser.add_argument("--algorithm", action="append", metavar="KEY", help="Of a clone: try this one.")
        parser.add_argument("--wait", action="store_true", help="Show progress until the job ends.")

    def run_for_tenant(self, **options: Any) -> Any:
        """Do what was asked and return the job, its log, or the newest jobs."""
        if options["clone"] is None and any(options[name] is not None for name in OF_A_CLONE):
            raise CommandError(
                f"--{', --'.join(OF_A_CLONE)} say how a clone differs: name a job with --clone."
            )
        asked = next((name for name in ACTIONS if options[name] is not None), None)
        if asked is None:
            return [self.line(job) for job in TrainingJob.objects.select_related("model")[:NEWEST]]
        job = find_job(options[asked])
        if asked == "log":
            return list(job.log.filter(pk__gt=options["after"]).values("id", "at", "level", "message"))
        job = self.done(asked, job, options)
        return described(follow(job) if options["wait"] else job)

    def done(self, asked: str, job: TrainingJob, options: dict[str, Any]) -> TrainingJob:
        """Change the job, or make another one."""
        if asked == "cancel":
            return request_cancel(job=job, by=self.actor)
        if asked == "retry":
            return submit_retry(job=job, by=self.actor)
        if asked == "urge":
            return set_priority(job=job, priority=options["priority"] or Priority.HIGH, by=self.actor)
        if asked == "clone":
            return submit_clone(job=job, changes=_changes(options), by=self.actor)
        return job

    @staticmethod
    def line(job: TrainingJob) -> dict[str, Any]:
        """Return the job as the list shows it."""
        return {
            "id": job.pk,
            "model": job.model.name,
            "state": job.state,
            "priority": job.priority,
            "progress": job.progress,
            "seconds_left": job.seconds_left,
            "stage": job.stage,
            "created": job.created_at,
        }


ACTIONS = {
    "cancel": "Cancel this job.",
    "retry": "Queue the same as this ended job.",
    "clone": "Queue a job like this one, with changes.",
    "urge": "Change the priority of this waiting job (high).",
    "log": "Show the log of this job.",
    "show": "Show this job.",
}


def _changes(options: dict[str, Any]) -> Changes:
    config = {name: options[name] for name in ("folds", "seed", "workers") if options[name] is not None}
    if options["algorithm"]:
        config["algorithms"] = [{"key": key} for key in options["algorithm"]]
    dataset = None if options["dataset"] is None else find_dataset(options["dataset"])
    return Changes(dataset=dataset, priority=options["priority"], config=config)
