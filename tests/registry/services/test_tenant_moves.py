"""A tenant leaves with everything it has, and arrives elsewhere as it was."""

import io
import json
import threading
from contextlib import closing
from datetime import time
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model

from feedback.models import Outcome
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import ApiKey, AuditEvent, AuditHead, Membership, Tenant, User
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.api_keys import create_api_key
from mlplatform.tenancy.services.audit_chain import verify_chain
from mlplatform.tenancy.services.data_keys import keyed_hash
from mlplatform.tenancy.walls import tenant_models
from monitoring.models import ReportSchedule, RetrainingPolicy
from monitoring.services.report_schedules import create_report_schedule
from registry.frames import dataset_frame
from registry.models import Dataset, ModelVersion, Prediction, RegisteredModel
from registry.services.loading import load_fresh
from registry.services.models import create_model
from registry.services.serving import predict
from registry.services.tenant_export import export_tenant
from registry.services.tenant_tables import STAYS, departing_tables
from tests.console import Furnished
from tests.factories import rows_of
from tests.moves import arrive, content, exported, table
from training.models import JobState, RetrainingSchedule, TrainingJob
from training.services.schedules import find_schedule, next_runs, resume_schedule


def test_every_table_leaves_or_says_why_not() -> None:
    assert set(departing_tables()) | set(STAYS) == set(tenant_models())
    assert len(departing_tables()) == len(set(departing_tables()))


def test_the_archive_is_open_json_lines_and_plain_files(furnished: Furnished) -> None:
    archive, done = exported(furnished.tenant)
    held = content(archive)
    assert {name for name in held if name.startswith("tables/")} == {
        f"tables/{model._meta.label_lower}.jsonl" for model in departing_tables()
    }
    assert done.rows["registry.prediction"] == len(table(archive, "registry.prediction")) == 42
    assert done.files == 3
    assert done.missing_files == []
    assert sum(data.startswith(b"PAR1") for data in held.values()) == 1
    manifest = json.loads(held["manifest.json"])
    assert manifest["tenant"]["slug"] == "clinic"
    assert manifest["audit_anchor"] == done.anchor


def test_nothing_of_another_tenant_and_no_key_leaves(small: Furnished, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant):
        create_api_key(name="canary-of-the-winery", scopes=["read"], by=SYSTEM)
    archive, _ = exported(small.tenant)
    everything = b"".join(content(archive).values())
    assert b"canary-of-the-winery" not in everything
    assert b"winery" not in everything
    assert b"wrapped" not in everything


def counts(tenant: Tenant) -> dict[str, int]:
    with tenant_scope(tenant), tenant_transaction():
        return {model._meta.label: model.objects.count() for model in departing_tables()}


def test_everything_arrives(furnished: Furnished) -> None:
    archive, _ = exported(furnished.tenant)
    there = counts(furnished.tenant)
    here = counts(arrive(archive))
    assert here == {**there, "tenancy.AuditEvent": there["tenancy.AuditEvent"] + 1}
    assert counts(furnished.tenant) == there


def test_numbers_dates_and_links_are_kept(furnished: Furnished) -> None:
    with tenant_scope(furnished.tenant), tenant_transaction():
        before = list(ModelVersion.objects.order_by("pk").values_list("number", "created_at", "metrics"))
        first = Prediction.objects.order_by("pk")[0]
        outcome = first.outcomes.get()
    moved = arrive(exported(furnished.tenant)[0])
    with tenant_scope(moved), tenant_transaction():
        versions = ModelVersion.objects.order_by("pk")
        assert list(versions.values_list("number", "created_at", "metrics")) == before
        champion = RegisteredModel.objects.get().aliases.get().version
        assert (champion.number, champion.pk) != (1, furnished.champion.pk)
        assert champion.number == furnished.champion.number
        same = Prediction.objects.get(
            created_at=first.created_at, latency_ms=first.latency_ms, features=first.features
        )
        assert same.pk != first.pk
        assert same.outcomes.get().received_at == outcome.received_at
        assert Outcome.objects.exclude(prediction__version=champion).count() == 0


def test_days_and_hours_of_the_day_are_kept(small: Furnished) -> None:
    told = {"quiet_from": time(22, 30), "quiet_until": time(6)}
    with tenant_scope(small.tenant), tenant_transaction():
        RetrainingPolicy.objects.create(model=small.model, **told)
        schedule = create_report_schedule(name="Committee", by=SYSTEM)
    assert schedule.settled is not None
    with tenant_scope(arrive(exported(small.tenant)[0])), tenant_transaction():
        assert RetrainingPolicy.objects.values(*told).get() == told
        arrived = ReportSchedule.objects.get()
        assert (arrived.settled, arrived.enabled) == (schedule.settled, False)


def test_the_models_answer_as_before(furnished: Furnished) -> None:
    with tenant_scope(furnished.tenant), tenant_transaction():
        rows = rows_of(furnished.champion, 5)
        given = [one.label for one in predict(model=furnished.model, rows=rows, by=SYSTEM).predictions]
    moved = arrive(exported(furnished.tenant)[0])
    with tenant_scope(moved), tenant_transaction():
        answered = predict(model=RegisteredModel.objects.get(), rows=rows, by=SYSTEM).predictions
        assert [one.label for one in answered] == given
        assert all(load_fresh(version) for version in ModelVersion.objects.all())
        assert len(dataset_frame(Dataset.objects.get())) == 569


def test_the_trail_verifies_under_another_name_and_is_moved_on(furnished: Furnished) -> None:
    archive, done = exported(furnished.tenant)
    moved = arrive(archive)
    number, _, digest = done.anchor.partition(":")
    with tenant_scope(moved):
        verdict = verify_chain(anchors={int(number): digest})
        assert verdict.broken is None
        assert verdict.events == int(number) + 1
        assert AuditHead.objects.get().origin == "clinic"
        told = AuditEvent.objects.get(action="tenant.imported")
        assert told.details["audit_anchor"] == done.anchor
    again = arrive(exported(moved)[0], "moved-again")
    with tenant_scope(again):
        assert verify_chain().broken is None


def actions_about(row: Model) -> set[str]:
    about = AuditEvent.objects.about(row._meta.label_lower, str(row.pk))
    return set(about.values_list("action", flat=True))


def test_an_objects_history_follows_it(furnished: Furnished) -> None:
    moved = arrive(exported(furnished.tenant)[0])
    with tenant_scope(moved), tenant_transaction():
        champion = RegisteredModel.objects.get().aliases.get().version
        assert "version.registered" in actions_about(champion)
    with tenant_scope(furnished.tenant), tenant_transaction():
        there = actions_about(furnished.champion)
    again = arrive(exported(moved)[0], "again")
    with tenant_scope(again), tenant_transaction():
        champion = RegisteredModel.objects.get().aliases.get().version
        assert actions_about(champion) == there


def test_schedules_come_paused_and_can_be_resumed(furnished: Furnished) -> None:
    moved = arrive(exported(furnished.tenant)[0])
    with tenant_scope(moved), tenant_transaction():
        schedule = RetrainingSchedule.objects.get()
        assert (schedule.enabled, schedule.periodic_task, next_runs(schedule)) == (False, None, [])
        resume_schedule(schedule=schedule, by=SYSTEM)
        assert len(next_runs(find_schedule(schedule.pk))) == 5


def test_jobs_that_had_not_ended_do_not_run_here(furnished: Furnished) -> None:
    moved = arrive(exported(furnished.tenant)[0])
    with tenant_scope(furnished.tenant):
        assert TrainingJob.objects.get().state == JobState.QUEUED
    with tenant_scope(moved):
        assert TrainingJob.objects.get().state == JobState.CANCELLED


def test_members_come_by_address_and_without_a_password(small: Furnished) -> None:
    archive, _ = exported(small.tenant)
    with tenant_scope(small.tenant), tenant_transaction():
        Membership.objects.all().delete()
    User.objects.all().delete()
    moved = arrive(archive)
    with tenant_scope(moved):
        [member] = Membership.objects.select_related("user")
    assert member.user.email == "someone@clinic.example"
    assert not member.user.has_usable_password()
    assert not member.user.is_superuser


def test_whoever_has_a_pseudonym_has_the_same_one_there(small: Furnished) -> None:
    with tenant_scope(small.tenant):
        ours = keyed_hash("ann")
    moved = arrive(exported(small.tenant)[0])
    with tenant_scope(moved):
        assert keyed_hash("ann") == ours


def test_a_key_that_opens_the_original_here_is_revoked_in_the_copy(small: Furnished) -> None:
    moved = arrive(exported(small.tenant)[0])
    with tenant_scope(moved):
        assert ApiKey.objects.get().revoked_at is not None
    with tenant_scope(small.tenant):
        assert ApiKey.objects.get().revoked_at is None


def test_export_import_export_gives_the_same_archive(furnished: Furnished) -> None:
    first, _ = exported(furnished.tenant)
    moved = arrive(first)
    second, _ = exported(moved)
    again = arrive(second, "again")
    third, _ = exported(again)
    for name, data in content(second).items():
        if name.startswith("files/"):
            assert data in content(third).values()
            assert data in content(first).values()
    for model in departing_tables():
        label = model._meta.label_lower
        if model not in (AuditEvent, AuditHead):
            assert plain(table(third, label), model) == plain(table(second, label), model)
    tails = [table(archive, "tenancy.auditevent") for archive in (first, second)]
    assert [row["hash"] for row in tails[1][: len(tails[0])]] == [row["hash"] for row in tails[0]]


def plain(rows: list[dict[str, Any]], model: type[Model]) -> list[dict[str, Any]]:
    """Rows without what is new on every server: their keys and those of what they link to."""
    links = {field.attname for field in model._meta.concrete_fields if field.is_relation}
    files = {"file", "artifact_file", "artifact_signature", "revoked_at"}
    new = {"id"} | links | files
    kept = [{name: value for name, value in row.items() if name not in new} for row in rows]
    return sorted(kept, key=lambda row: json.dumps(row, sort_keys=True))


@pytest.mark.django_db(transaction=True)
def test_the_archive_shows_one_moment_whatever_is_written_meanwhile(tenant: Tenant) -> None:
    def write() -> None:
        with closing(connection), tenant_scope(tenant):
            create_model(name="meanwhile", problem_type="regression", target="y", by=SYSTEM)

    def write_once(said: str) -> None:
        if not written:
            written.append(said)
            writer = threading.Thread(target=write)
            writer.start()
            writer.join(timeout=60)
            assert not writer.is_alive(), "a writer waits for the export"

    written: list[str] = []
    target = io.BytesIO()
    with tenant_scope(tenant):
        done = export_tenant(target=target, by=SYSTEM, say=write_once)
        assert RegisteredModel.objects.filter(name="meanwhile").exists()
    assert done.rows["registry.registeredmodel"] == 0
    assert b"meanwhile" not in b"".join(content(target).values())
    assert done.anchor.partition(":")[0] == str(done.rows["tenancy.auditevent"])
