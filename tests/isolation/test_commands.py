"""Every command that works for a tenant, asked as ours for what is theirs; and every message of a worker."""

import inspect
import io
import pickle
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.core.management import CommandError, call_command, get_commands, load_command_class
from kombu.exceptions import ContentDisallowed
from kombu.serialization import loads

from feedback.models import Quarantine
from mlplatform.cache import PlainSerializer
from mlplatform.management.base import TenantCommand
from mlplatform.tenancy.models import ApiKey
from mlplatform.tenancy.tasks import TenantTask
from monitoring.models import Alert, AlertRule, Channel, ReportSchedule
from registry.models import Dataset, Prediction, PromotionRequest, RegisteredModel, Rollout
from tests.isolation.worlds import World
from training.models import BatchJob, DataSource, RetrainingSchedule, TrainingJob

# For each command its arguments: in braces what names a row. One at a time is theirs, the others ours.
COMMANDS: dict[str, list[str]] = {
    "alerts": ["--show={alert}"],
    "alert_rules": ["--show={rule}"],
    "aliases": ["--model={model}", "--set=challenger", "--number=1"],
    "auto_rollback_check": ["--model={model}", "--act"],
    "champion": ["--model={model}", "--metric=f1"],
    "batch_predict": ["--model={model}", "--dataset={dataset}"],
    "batches": ["--show={batch}"],
    "channels": ["--show={channel}"],
    "check_data": ["--model={model}", "--dataset={dataset}"],
    "compare": ["--model={model}", "--number=1", "--number=2"],
    "compare_datasets": ["--before={dataset}", "--after={dataset}"],
    "suggest_algorithms": ["--model={model}", "--dataset={dataset}"],
    "decisions": ["--model={model}"],
    "policy": ["--model={model}", "--set=max_age_days=9"],
    "describe_columns": ["--dataset={dataset}", "--columns=mean_texture", "--unit=grey"],
    "compare_reference": ["--model={model}", "--dataset={dataset}"],
    "create_api_key": ["--name=new", "--scopes=read", "--models={model}"],
    "create_model": ["--name=new", "--target=diagnosis", "--problem=classification"],
    "drift_settings": ["--model={model}"],
    "erase_subject": ["--entity={entity}", "--model={model}"],
    "explain": ["--model={model}"],
    "export_anonymised": ["--dataset={dataset}", "--quasi=diagnosis", "--output={out}/rows.csv"],
    "export_audit": [],
    "export_subject": ["--entity={entity}", "--model={model}", "--output={out}/subject.json"],
    "export_model": ["--model={model}", "--to={out}/model.zip"],
    "export_version": ["--model={model}", "--number=1", "--to={out}/version.skops"],
    "export_tenant": ["--to={out}/tenant.zip"],
    "feedback_settings": ["--model={model}", "--least-labels=500"],
    "find_versions": ["--query=version > 0"],
    "gates": ["--model={model}", "--demand", "latency", "milliseconds=5000"],
    "import_dataset": ["{out}/rows.csv"],
    "import_model": ["{out}/rows.csv"],
    "import_version": ["{out}/rows.csv", "--model={model}", "--dataset={dataset}"],
    "import_feedback": ["{out}/outcomes.csv", "--no-hold"],
    "import_predictions": ["{model}", "{out}/rows.csv"],
    "jobs": ["--retry={job}"],
    "labelling": ["--model={model}"],
    "lineage": ["--model={model}", "--number=1"],
    "list_models": [],
    "mark_columns": ["--model={model}", "--drop=mean_texture"],
    "model_card": ["--model={model}", "--output={out}/card.md"],
    "predict": ["--model={model}", "--input={out}/rows.csv", "--output={out}/answers.csv"],
    "promote": ["--model={model}", "--number=1", "--reason=x"],
    "promotion_requests": ["--remark={request}", "--comment=x"],
    "quarantines": ["--show={quarantine}"],
    "report": ["{model}", "--out={out}/report.pdf"],
    "report_schedules": ["--update={report_schedule}", "--model={model}"],
    "reproduce": ["--model={model}", "--number=1"],
    "retention": ["--model={model}", "--keep", "versions.newest=5", "--dry-run"],
    "retrain": ["--model={model}"],
    "rollback": ["--model={model}", "--reason=x"],
    "rollouts": ["--model={model}", "--show={rollout}"],
    "rotate_api_key": ["--prefix={prefix}"],
    "run_checks": ["--model={model}"],
    "schedules": ["--pause={schedule}"],
    "serving": ["--model={model}", "--cache=yes"],
    "shadows": ["--model={model}"],
    "set_limits": ["--requests-per-minute=6000"],
    "sources": ["--show={source}"],
    "sweep_files": [],
    "tenant_settings": ["--measure-personal-groups"],
    "tag": ["--model={model}", "team=risk"],
    "train": ["--model={model}", "--dataset={dataset}"],
    "treat_log": ["--model={model}"],
    "twin": ["--model={model}", "--number=1"],
}


# A message that only says that a worker is free: it runs the job whose turn it is, in that job's own tenant.
NUDGES = {"training.run_job", "training.run_batch"}


def named(world: World, *, theirs: bool) -> dict[str, Any]:
    """Return what names rows in the arguments."""
    return {
        "model": world.row(RegisteredModel, theirs=theirs).name,
        "dataset": world.row(Dataset, theirs=theirs).pk,
        "entity": world.row(Prediction, theirs=theirs).entity_key,
        "prefix": world.row(ApiKey, theirs=theirs).prefix,
        "source": world.row(DataSource, theirs=theirs).pk,
        "schedule": world.row(RetrainingSchedule, theirs=theirs).pk,
        "request": world.row(PromotionRequest, theirs=theirs).pk,
        "rollout": world.row(Rollout, theirs=theirs).pk,
        "job": world.row(TrainingJob, theirs=theirs).pk,
        "batch": world.row(BatchJob, theirs=theirs).pk,
        "alert": world.row(Alert, theirs=theirs).pk,
        "rule": world.row(AlertRule, theirs=theirs).pk,
        "channel": world.row(Channel, theirs=theirs).pk,
        "quarantine": world.row(Quarantine, theirs=theirs).pk,
        "report_schedule": world.row(ReportSchedule, theirs=theirs).pk,
    }


def tenant_commands() -> set[str]:
    """Return the commands that work for one tenant."""
    ours = {name: app for name, app in get_commands().items() if "." not in app or "mlplatform" in app}
    return {name for name, app in ours.items() if isinstance(load_command_class(app, name), TenantCommand)}


def test_every_command_is_here() -> None:
    assert tenant_commands() == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_does_nothing_with_what_is_theirs(
    command: str, world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = named(world, theirs=False), named(world, theirs=True)
    prediction = world.row(Prediction, theirs=True).pk
    (tmp_path / "rows.csv").write_text("a,diagnosis\n1,x\n2,y\n")
    (tmp_path / "outcomes.csv").write_text(f"prediction_id,outcome\n{prediction},benign\n")
    template = " ".join(COMMANDS[command])
    for exchanged in [name for name in ours if f"{{{name}}}" in template] or [""]:
        values = {**ours, "out": tmp_path} | ({exchanged: theirs[exchanged]} if exchanged else {})
        arguments = [one.format(**values) for one in COMMANDS[command]]
        told, told_of = io.StringIO(), ""
        try:
            call_command(command, f"--tenant={world.ours.slug}", *arguments, stdout=told, stderr=told)
        except CommandError as error:
            told_of = str(error)
        said = told.getvalue() + told_of + "".join(capsys.readouterr())
        files = [path.read_bytes() for path in tmp_path.iterdir() if path.name != "outcomes.csv"]
        asked = world.secrets.in_text(f"{arguments} {prediction}")
        found = world.secrets.in_text(said).union(*map(world.secrets.in_bytes, files))
        assert found <= asked, (arguments, world.secrets.named(found - asked))
        assert world.changed() == [], arguments


def tasks() -> list[TenantTask]:
    """Return the tasks that carry a tenant."""
    current_app.loader.import_default_modules()
    found = [task for task in current_app.tasks.values() if isinstance(task, TenantTask)]
    return [task for task in found if task.name not in NUDGES]


def test_a_forged_message_reaches_nothing_of_theirs(world: World) -> None:
    """Whoever can write to the broker can name any tenant, but a message has no row of two tenants."""
    assert len(tasks()) > 4
    said = ""
    rows = [row for (tenant, _), row in world.rows.items() if tenant == world.theirs.pk]
    for task in tasks():
        names = list(inspect.signature(task.run).parameters)
        names_a_row = any(name.endswith("_id") for name in names)  # else it is the same message for each row
        for row in rows if names_a_row else rows[:1]:
            given = {name: row.pk if name.endswith("_id") else "x" for name in names}
            try:
                task(**given, tenant_id=world.ours.pk)
            except Exception as error:  # noqa: BLE001  # whatever it says to its own log, it must not tell
                said += f"{error} "
        assert world.changed() == [], task.name
    asked = world.secrets.in_text(" ".join(str(row.pk) for row in world.rows.values()))
    assert world.secrets.in_text(said) <= asked


def test_a_pickled_message_is_not_opened() -> None:
    with pytest.raises(ContentDisallowed):
        loads(
            pickle.dumps({"tenant_id": 1}),
            "application/x-python-serialize",
            "binary",
            accept=current_app.conf.accept_content,
        )


def test_the_shared_cache_holds_json_alone() -> None:
    kept = PlainSerializer()
    written = kept.dumps({"a": [1, "x"]})
    assert isinstance(written, bytes)
    assert kept.loads(written) == {"a": [1, "x"]}
    assert kept.dumps(5) == 5  # Redis counts
    assert kept.loads(b"5") == 5
    with pytest.raises(ValueError, match="utf-8"):
        kept.loads(pickle.dumps("code"))


def test_nobody_else_may_look_into_the_cache(world: World) -> None:
    cache.set("counter", 1)
    folder = Path(str(settings.CACHES["default"]["LOCATION"]))
    assert folder.stat().st_mode & 0o077 == 0
