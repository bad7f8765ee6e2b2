"""Start a training job, and follow it where asked."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from mlplatform.management.base import TenantCommand
from mlplatform.tenancy.scope import tenant_transaction
from registry.services.datasets import find_dataset
from registry.services.models import find_model
from training.automl.study import SAMPLERS
from training.models import JobState, TrainingJob
from training.services.jobs import find_job
from training.tasks import submit_job

LOOK_EVERY_SECONDS = 0.5


class Command(TenantCommand):
    """``manage.py train``."""

    help = "Train a model on a dataset. A worker does the work; --wait follows it."
    example = (
        "python manage.py train --tenant north-clinic --model tumours --dataset 3 --algorithm random_forest"
    )

    def add_options(self, parser: ArgumentParser) -> None:
        """Add what to train, on what and how."""
        parser.add_argument("--model", required=True, help="The model's name.")
        parser.add_argument("--dataset", required=True, type=int, help="The dataset's number.")
        parser.add_argument(
            "--algorithm",
            action="append",
            metavar="KEY",
            help="An algorithm to try; may be given several times.",
        )
        parser.add_argument("--folds", type=int, help="Folds of the cross-validation, 2 to 20 (5).")
        parser.add_argument("--seed", type=int, help="Seed of all that is random (42).")
        parser.add_argument(
            "--search",
            choices=sorted(SAMPLERS),
            help="Vary the parameters: by this method, within the budget.",
        )
        parser.add_argument("--trials", type=int, help="Budget of the search: most trials (40).")
        parser.add_argument(
            "--seconds", type=int, help="Budget of the search: no trial begins after so long."
        )
        parser.add_argument("--patience", type=int, help="Stop after so many trials without a better one.")
        parser.add_argument("--wait", action="store_true", help="Show progress until the job ends.")

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Queue the job; with --wait exit with 1 where it does not succeed."""
        config: dict[str, Any] = {
            name: options[name] for name in ("folds", "seed") if options[name] is not None
        }
        if options["algorithm"]:
            config["algorithms"] = [{"key": key} for key in options["algorithm"]]
        search = {
            name: options[name] for name in ("trials", "seconds", "patience") if options[name] is not None
        }
        if options["search"]:
            config["search"] = {"method": options["search"], **search}
        elif search:
            raise CommandError(f"--{next(iter(search))} is a budget of a search: name one with --search tpe.")
        job = submit_job(
            model=find_model(options["model"]),
            dataset=find_dataset(options["dataset"]),
            config=config,
            by=self.actor,
        )
        if options["wait"]:
            job = self.follow(job)
        return described(job)

    def follow(self, job: TrainingJob) -> TrainingJob:
        """Show the job's progress until it ends; raises CommandError where it did not succeed."""
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"))
        console = Console(stderr=True)
        with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
            line = progress.add_task(job.stage, total=100)
            while job.is_active:
                time.sleep(LOOK_EVERY_SECONDS)
                with tenant_transaction():
                    job = find_job(job.pk)
                progress.update(
                    line, completed=job.progress, description=job.stage or job.get_state_display()
                )
        if job.state != JobState.SUCCEEDED:
            raise CommandError(f"Job {job.pk} {job.get_state_display().lower()}. {job.error}".strip())
        return job


def described(job: TrainingJob) -> dict[str, Any]:
    """Return the job as the command prints it."""
    body: dict[str, Any] = {
        "job": job.pk,
        "state": job.state,
        "model": job.model.name,
        "dataset": job.dataset_id,
    }
    if job.version is not None:
        body |= {
            "version": job.version.number,
            "algorithm": job.version.algorithm,
            "metrics": job.version.metrics,
        }
    return body
