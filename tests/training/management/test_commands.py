"""The commands of training."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from mlplatform.tenancy.models import Tenant
from registry.services.datasets import find_dataset
from tests.factories import make_dataset, make_model, make_version, table
from tests.training.conftest import MakeJob
from training.management.following import follow
from training.models import TrainingJob
from training.services.jobs import find_job
from training.tasks import run_job

pytestmark = pytest.mark.usefixtures("in_tenant")


def run(*arguments: str) -> Any:
    output = io.StringIO()
    call_command(arguments[0], "--tenant", "clinic", "--json", *arguments[1:], stdout=output)
    return json.loads(output.getvalue())


def shown(*arguments: str) -> str:
    """What the command prints for people."""
    output = io.StringIO()
    call_command(arguments[0], "--tenant", "clinic", *arguments[1:], stdout=output)
    return output.getvalue()


class TestImportDataset:
    def test_says_whether_the_content_is_new(self, tmp_path: Path) -> None:
        path = tmp_path / "biopsies.csv"
        table().to_csv(path, index=False)
        assert "created: yes" in shown("import_dataset", "--name", "first [a]", str(path))
        again = shown("import_dataset", "--name", "second", str(path))
        assert "created: no" in again
        assert "name: first [a]" in again

    def test_a_file_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match=r"none\.csv"):
            run("import_dataset", str(tmp_path / "none.csv"))

    def test_freezes_a_file_under_its_own_name(self, tmp_path: Path) -> None:
        path = tmp_path / "biopsies.csv"
        table().to_csv(path, index=False)
        imported = run("import_dataset", str(path))
        assert (imported["name"], imported["rows"], imported["created"]) == ("biopsies", 569, True)
        assert find_dataset(imported["dataset"]).origin["filename"] == "biopsies.csv"

    def test_tells_what_is_wrong_with_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "rows.csv"
        path.write_text("1,2\n" * 30)
        with pytest.raises(CommandError, match="Add a header line"):
            run("import_dataset", str(path))


class TestTrain:
    def test_queues_a_job(self) -> None:
        make_model()
        made = run("train", "--model", "cancer", "--dataset", str(make_dataset().pk), "--algorithm", "knn")
        job = find_job(made["job"])
        assert [item["key"] for item in job.config["algorithms"]] == ["knn"]

    def test_refuses_settings_that_cannot_work(self) -> None:
        make_model()
        dataset = str(make_dataset().pk)
        with pytest.raises(CommandError, match="2 to 20"):
            run("train", "--model", "cancer", "--dataset", dataset, "--folds", "50")
        with pytest.raises(CommandError, match="does not do classification"):
            run("train", "--model", "cancer", "--dataset", dataset, "--algorithm", "ridge")
        with pytest.raises(CommandError, match="no dataset 4711"):
            run("train", "--model", "cancer", "--dataset", "4711")
        assert not TrainingJob.objects.exists()

    def test_refuses_a_second_job_while_one_waits(self) -> None:
        make_model()
        arguments = ("train", "--model", "cancer", "--dataset", str(make_dataset().pk))
        assert "state: queued" in shown(*arguments)
        with pytest.raises(CommandError, match="active already"):
            shown(*arguments)

    def test_refuses_an_unknown_model(self) -> None:
        with pytest.raises(CommandError, match="no model 'none'"):
            run("train", "--model", "none", "--dataset", str(make_dataset().pk))

    def test_waiting_ends_with_the_job(self, make_job: MakeJob, tenant: Tenant) -> None:
        job = make_job()
        run_job(job.pk, tenant_id=tenant.pk)
        assert follow(find_job(job.pk)).version is not None

    def test_waiting_for_a_job_that_fails_is_an_error(self, make_job: MakeJob) -> None:
        job = make_job()
        TrainingJob.objects.filter(pk=job.pk).update(state="failed", error="Too few rows.")
        with pytest.raises(CommandError, match="Too few rows"):
            follow(job)


class TestSchedules:
    def test_makes_lists_pauses_runs_and_deletes(self) -> None:
        make_version()
        made = run("schedules", "--create", "nightly", "--model", "cancer", "--cron", "0 3 * * *")
        assert made["times"] == "0 3 * * * (UTC)"
        assert run("schedules", "--pause", str(made["id"]))["next_runs"] == []
        assert run("schedules", "--resume", str(made["id"]))["enabled"]
        assert "Started job" in run("schedules", "--run", str(made["id"]))["last_result"]
        assert [row["name"] for row in run("schedules")] == ["nightly"]
        assert run("schedules", "--delete", str(made["id"])) == {"deleted": made["id"]}
        assert run("schedules") == []

    def test_makes_an_interval(self) -> None:
        make_model()
        made = run("schedules", "--create", "often", "--model", "cancer", "--every", "6")
        assert made["times"] == "every 6 hours (UTC)"

    def test_refuses_a_cron_line_that_is_none(self) -> None:
        make_model()
        with pytest.raises(CommandError, match="Write five fields"):
            run("schedules", "--create", "nightly", "--model", "cancer", "--cron", "soon")

    def test_lists_them_as_a_table_with_the_next_run(self) -> None:
        make_model()
        assert shown("schedules").strip() == "Nothing to show."
        made = run("schedules", "--create", "nightly", "--model", "cancer", "--cron", "0 3 * * *")
        assert all(run_at.endswith("T03:00:00Z") for run_at in made["next_runs"])
        text = shown("schedules")
        assert "nightly" in text
        assert "03:00" in text

    @pytest.mark.parametrize("option", ["--pause", "--resume", "--run", "--delete"])
    def test_refuses_to_touch_one_that_is_not_there(self, option: str) -> None:
        for number in ("0", "4711"):
            with pytest.raises(CommandError, match=f"no schedule {number}"):
                run("schedules", option, number)

    def test_does_one_thing_at_a_time(self) -> None:
        with pytest.raises(CommandError, match="not allowed with"):
            run("schedules", "--pause", "1", "--run", "1")

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["--every", "0"], "whole number from 1"),
            (["--every", "2", "--unit", "seconds"], "minutes, hours, days"),
            (["--cron", "0 3 * * *", "--timezone", "Mars"], "no time zone"),
            ([], "5 fields"),
        ],
    )
    def test_refuses_times_that_are_none(self, arguments: list[str], told: str) -> None:
        make_model()
        with pytest.raises(CommandError, match=told):
            run("schedules", "--create", "nightly", "--model", "cancer", *arguments)


class TestSearchOptions:
    def test_a_search_comes_with_its_budget(self) -> None:
        arguments = ("--model", make_model().name, "--dataset", str(make_dataset().pk), "--algorithm", "knn")
        queued = run("train", *arguments, "--search", "halving", "--trials", "9", "--patience", "4")
        expected = {"method": "halving", "trials": 9, "seconds": None, "patience": 4}
        assert find_job(queued["job"]).config["search"] == expected

    def test_a_budget_without_a_search_is_refused(self) -> None:
        arguments = ("--model", make_model().name, "--dataset", str(make_dataset().pk))
        with pytest.raises(CommandError, match="--trials is a budget of a search"):
            run("train", *arguments, "--trials", "9")
        assert not TrainingJob.objects.exists()


class TestJobs:
    def test_lists_urges_cancels_repeats_and_clones(self, make_job: MakeJob) -> None:
        job = make_job()
        [line] = run("jobs")
        assert (line["id"], line["state"], line["priority"]) == (job.pk, "queued", "normal")
        run("jobs", "--urge", str(job.pk))
        assert find_job(job.pk).priority == "high"
        assert run("jobs", "--cancel", str(job.pk))["state"] == "cancelled"
        again = run("jobs", "--retry", str(job.pk))["job"]
        run("jobs", "--cancel", str(again))
        clone = run("jobs", "--clone", str(job.pk), "--folds", "3", "--algorithm", "dummy")["job"]
        assert find_job(clone).config["folds"] == 3
        assert [line["message"] for line in run("jobs", "--log", str(clone))] == [
            f"Like job {job.pk}, with changes."
        ]

    def test_a_clone_is_shared_among_as_many_workers_as_asked_for(
        self, make_job: MakeJob, settings: Settings
    ) -> None:
        settings.TRAINING_MAX_WORKERS = 4
        job = make_job()
        run("jobs", "--cancel", str(job.pk))
        clone = run("jobs", "--clone", str(job.pk), "--workers", "3")["job"]
        assert (find_job(clone).config["workers"], job.config["workers"]) == (3, 1)
        assert find_job(clone).config == {**job.config, "workers": 3}

    def test_more_workers_than_there_may_be_are_refused(self, make_job: MakeJob, settings: Settings) -> None:
        settings.TRAINING_MAX_WORKERS = 4
        job = make_job()
        run("jobs", "--cancel", str(job.pk))
        with pytest.raises(CommandError, match="from 1 to 4"):
            run("jobs", "--clone", str(job.pk), "--workers", "5")
        assert TrainingJob.objects.count() == 1

    @pytest.mark.parametrize("option", ["--folds", "--seed", "--workers"])
    def test_changes_without_a_clone_are_refused(self, option: str) -> None:
        with pytest.raises(CommandError, match="name a job with --clone"):
            run("jobs", option, "3")


class TestRetrain:
    def test_queues_a_job_for_each_model_that_was_trained(self) -> None:
        trained, untrained = make_version().model, make_model("new")
        told = {line["model"]: line for line in run("retrain", "--all")}
        assert find_job(told[trained.name]["job"]).model == trained
        assert "no version yet" in told[untrained.name]["reason"]

    def test_says_why_there_is_nothing_to_train(self) -> None:
        make_model("new")
        with pytest.raises(CommandError, match=r"Nothing to train\. new: new has no version yet"):
            run("retrain", "--model", "new")
