"""What is kept no longer goes, what is in use stays, and both are told."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from pytest_django import Settings

from feedback.models import Outcome
from feedback.services.outcomes import OutcomeItem, record_outcomes
from mlplatform.errors import NotAllowed
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.scope import Sight, tenant_scope
from mlplatform.tenancy.services.usage import locked_usage, measured
from monitoring.models import DriftReport, Rollup
from registry.errors import ArtifactCorrupt, DatasetCorrupt, InvalidRetention, VersionNotReady
from registry.frames import dataset_frame
from registry.models import (
    Dataset,
    Deployment,
    KeptAnswer,
    ModelVersion,
    Prediction,
    RegisteredModel,
    RequestTally,
)
from registry.models.request_tally import ALL_TIME
from registry.models.version import VersionStatus
from registry.services.aliases import remove_alias, set_alias
from registry.services.loading import load_fresh
from registry.services.orphans import sweep_files
from registry.services.promotion import promote, rollback
from registry.services.repeats import Once, predict_once, sweep_answers
from registry.services.requests import propose
from registry.services.retention import Part, apply_retention, survey_retention
from registry.services.retention_rules import change_retention, parsed_choice, rules_of
from registry.services.rollouts import start_rollout
from registry.services.serving import predict
from tests.factories import make_champion, make_dataset, make_model, make_version, rows_of, table
from training.models import JobState, TrainingJob
from training.services.jobs import create_job, request_cancel

pytestmark = pytest.mark.usefixtures("in_tenant")
LATER = timedelta(days=31)


@pytest.fixture(autouse=True)
def _one_is_enough(settings: Settings) -> None:
    settings.MAX_MODEL_VERSIONS = 1


def make(count: int) -> list[ModelVersion]:
    """Versions of one model, the oldest first; no two share a file."""
    model = make_model()
    return [
        make_version(model, dataset=make_dataset(frame=table().head(300 + number))) for number in range(count)
    ]


def ahead(by: timedelta = LATER) -> datetime:
    return timezone.now() + by


def part(name: str, now: datetime | None = None) -> Part:
    [found] = [one for one in survey_retention(now=now or ahead()) if one.kind.name == name]
    return found


def put(version: ModelVersion) -> Deployment:
    return promote(model=version.model, version=version, by=SYSTEM, reason="x", override=True)


def statuses(versions: list[ModelVersion]) -> list[str]:
    for version in versions:
        version.refresh_from_db()
    return [version.status for version in versions]


def test_an_old_version_loses_its_files_and_keeps_its_record() -> None:
    old, new = make(2)
    before = locked_usage().storage_bytes
    assert [item.key for item in part("versions").survey.items] == [old.pk]
    assert apply_retention(now=ahead(), by=SYSTEM).gone["versions"].count == 1
    assert statuses([old, new]) == [VersionStatus.ARCHIVED, VersionStatus.READY]
    assert old.artifact_file == ""
    assert old.artifact_hash
    assert "30 days" in old.status_reason
    assert locked_usage().storage_bytes == before - old.artifact_bytes == measured("storage_bytes")
    with pytest.raises(ArtifactCorrupt, match="kept no more"):
        load_fresh(old)
    with pytest.raises(VersionNotReady):
        put(old)
    entry = AuditEvent.objects.get(action="version.archived")
    assert entry.object_id == str(old.pk)
    assert entry.details["bytes"] == old.artifact_bytes
    assert AuditEvent.objects.filter(action="retention.run").count() == 1


def test_a_file_goes_after_its_time_of_grace_and_not_while_another_row_names_it() -> None:
    model, dataset = make_model(), make_dataset()
    first, second = (make_version(model, dataset=dataset) for _ in range(2))
    assert first.artifact_file == second.artifact_file
    apply_retention(now=ahead(), by=SYSTEM)
    sweep_files(now=ahead(), by=SYSTEM)
    assert load_fresh(second) is not None
    ModelVersion.objects.filter(pk=second.pk).update(artifact_file="")
    sweep_files(now=timezone.now() + timedelta(hours=23), by=SYSTEM)
    assert default_storage.exists(first.artifact_file)
    sweep_files(now=timezone.now() + timedelta(hours=25), by=SYSTEM)
    assert not default_storage.exists(first.artifact_file)


def test_nothing_goes_before_its_days_are_over() -> None:
    make(3)
    assert part("versions", ahead(timedelta(days=29))).survey.going == 0
    assert part("versions").survey.going == 2


def aliased(versions: list[ModelVersion]) -> str:
    set_alias(model=versions[0].model, name="trial", version=versions[0], by=SYSTEM)
    return "an alias points to it"


def champion(versions: list[ModelVersion]) -> str:
    put(versions[0])
    return "an alias points to it"


def champion_before(versions: list[ModelVersion]) -> str:
    put(versions[0])
    put(versions[1])
    return "a rollback leads to it"


def proposed(versions: list[ModelVersion]) -> str:
    propose(model=versions[0].model, version=versions[0], by=SYSTEM)
    return "A promotion request about it is open"


def rebuilt(versions: list[ModelVersion]) -> str:
    create_job(model=versions[0].model, dataset=make_dataset(), by=SYSTEM)
    TrainingJob.objects.update(reproduces=versions[0])
    return "builds it again"


def tried(versions: list[ModelVersion]) -> str:
    put(versions[1])
    start_rollout(model=versions[0].model, challenger=versions[0], by=SYSTEM)
    return "A rollout tries it"


def compared(versions: list[ModelVersion]) -> str:
    put(versions[0])
    start_rollout(model=versions[0].model, challenger=versions[1], by=SYSTEM)
    put(versions[2])
    return "compares with it"


@pytest.mark.parametrize("use", [aliased, champion, champion_before, proposed, rebuilt, tried, compared])
def test_what_is_in_use_stays_however_old_and_says_why(use: Any) -> None:
    versions = make(3)
    why = use(versions)
    [told] = [
        item
        for item in part("versions", ahead(timedelta(days=900))).survey.kept
        if item.key == versions[0].pk
    ]
    assert why in told.why
    apply_retention(now=ahead(timedelta(days=900)), by=SYSTEM)
    assert statuses(versions)[0] == VersionStatus.READY
    assert load_fresh(versions[0]) is not None


def test_what_was_deployed_within_the_days_stays_until_they_are_over() -> None:
    first, second, *_ = versions = make(3)
    set_alias(model=first.model, name="trial", version=first, by=SYSTEM)
    remove_alias(model=first.model, name="trial", by=SYSTEM)
    apply_retention(now=ahead(timedelta(days=29)), by=SYSTEM)
    assert statuses(versions)[0] == VersionStatus.READY
    apply_retention(now=ahead(), by=SYSTEM)
    assert statuses([first, second]) == [VersionStatus.ARCHIVED] * 2
    assert Deployment.objects.filter(version=first).count() == 2


def test_a_rollback_always_finds_the_champion_before() -> None:
    versions = make(4)
    for version in versions:
        put(version)
    apply_retention(now=ahead(timedelta(days=900)), by=SYSTEM)
    assert statuses(versions) == [VersionStatus.ARCHIVED] * 2 + [VersionStatus.READY] * 2
    assert rollback(model=versions[0].model, by=SYSTEM).version == versions[2]


def test_a_dataset_goes_only_where_asked_and_no_kept_version_learnt_from_it() -> None:
    old, new = make(2)
    unused = make_dataset(frame=table().head(200))
    assert part("datasets").rule.days is None
    change_retention(changes={"datasets": {"days": 10}}, by=SYSTEM)
    rows = locked_usage().stored_rows
    apply_retention(now=ahead(), by=SYSTEM)
    kept = set(Dataset.objects.exclude(file="").values_list("pk", flat=True))
    assert kept == {new.dataset_id}
    assert locked_usage().stored_rows == measured("stored_rows") == rows - 200 - 300
    with pytest.raises(DatasetCorrupt, match="kept no more"):
        dataset_frame(Dataset.objects.get(pk=unused.pk))
    again = make_dataset(frame=table().head(200))
    assert (again.pk, len(dataset_frame(again))) == (unused.pk, 200)
    assert locked_usage().stored_rows == measured("stored_rows") == rows - 300
    assert old.dataset_id != unused.pk


def test_the_log_goes_with_its_outcomes_and_what_checks_look_at_stays() -> None:
    version = make_champion()
    answer = predict(model=version.model, rows=rows_of(version, 3), by=SYSTEM)
    record_outcomes(
        items=[OutcomeItem(one.pk, "benign") for one in answer.predictions], by=SYSTEM, source="api"
    )
    old = [one.pk for one in answer.predictions[:2]]
    Prediction.objects.filter(pk__in=old).update(created_at=timezone.now() - timedelta(days=91))
    used = locked_usage().stored_rows
    assert part("predictions", timezone.now()).survey.going == 2
    done = apply_retention(now=timezone.now(), by=SYSTEM)
    assert done.gone["predictions"].count == 2
    assert Prediction.objects.count() == Outcome.objects.count() == 1
    assert locked_usage().stored_rows == used - 2
    entry = AuditEvent.objects.get(action="retention.removed")
    assert (entry.details["kind"], entry.details["rows"], entry.details["days"]) == ("predictions", 2, 90)
    assert apply_retention(now=timezone.now(), by=SYSTEM).total == 0


def test_a_model_may_keep_its_log_for_another_time_than_its_tenant() -> None:
    version = make_champion()
    predict(model=version.model, rows=rows_of(version), by=SYSTEM)
    change_retention(changes={"predictions": {"days": 10}}, by=SYSTEM)
    assert part("predictions", ahead(timedelta(days=11))).survey.going == 1
    change_retention(changes={"predictions": {"days": None}}, by=SYSTEM, model=version.model)
    assert rules_of(version.model)["predictions"].days is None
    assert apply_retention(now=ahead(timedelta(days=3000)), by=SYSTEM).gone.get("predictions") is None
    change_retention(changes={"predictions": None}, by=SYSTEM, model=version.model)
    assert rules_of(version.model)["predictions"].days == 10
    change_retention(changes={"predictions": None}, by=SYSTEM)
    assert rules_of()["predictions"].days == 90


def test_jobs_that_made_nothing_go() -> None:
    model = make_model()
    job = create_job(model=model, dataset=make_dataset(), by=SYSTEM)
    request_cancel(job=job, by=SYSTEM)
    job.refresh_from_db()
    assert job.state == JobState.CANCELLED
    assert apply_retention(now=ahead(timedelta(days=364)), by=SYSTEM).gone["jobs"].count == 0
    assert apply_retention(now=ahead(timedelta(days=366)), by=SYSTEM).gone["jobs"].count == 1
    assert not TrainingJob.objects.exists()


@pytest.mark.parametrize(
    ("changes", "of_model", "name"),
    [
        ({"cakes": {"days": 1}}, False, "cakes"),
        ({"predictions": {"days": 6}}, False, "predictions"),
        ({"predictions": {"days": 0}}, False, "predictions"),
        ({"predictions": {"days": "7"}}, False, "predictions"),
        ({"predictions": {"days": True}}, False, "predictions"),
        ({"predictions": {"newest": 5}}, False, "predictions"),
        ({"versions": {"newest": 0}}, False, "versions"),
        ({"versions": {"newest": None}}, False, "versions"),
        ({"versions": {"weeks": 1}}, False, "versions"),
        ({"datasets": {"days": 5}}, True, "datasets"),
    ],
)
def test_a_rule_that_is_none_is_refused_by_kind(changes: dict[str, Any], of_model: bool, name: str) -> None:
    model = make_model() if of_model else None
    with pytest.raises(InvalidRetention) as refused:
        change_retention(changes=changes, by=SYSTEM, model=model)
    assert list(refused.value.fields or {}) == [name]
    assert not AuditEvent.objects.filter(action="retention.changed").exists()


@pytest.mark.parametrize(
    "word", ["predictions", "predictions=7", "predictions.days", "predictions.days=x", "=1"]
)
def test_words_that_are_no_rule_are_refused(word: str) -> None:
    with pytest.raises(InvalidRetention, match="is no rule"):
        parsed_choice([word])


def test_whoever_sees_some_models_only_judges_for_none(in_tenant: Tenant) -> None:
    model: RegisteredModel = make_model()
    with tenant_scope(in_tenant, Sight(only=frozenset({model.name}))):
        with pytest.raises(NotAllowed):
            survey_retention(now=timezone.now())
        with pytest.raises(NotAllowed):
            apply_retention(now=timezone.now(), by=SYSTEM)


def test_sums_of_all_time_outlive_the_counts_of_hours() -> None:
    model = make_model()
    for begins in (ALL_TIME, timezone.now()):
        RequestTally.objects.create(model=model, number=1, begins=begins, outcome="answered", count=3)
    assert part("requests").survey.going == 0  # kept for ever unless somebody chooses otherwise
    change_retention(changes={"requests": {"days": 30}}, by=SYSTEM)
    assert part("requests").survey.going == 1
    apply_retention(now=ahead(), by=SYSTEM)
    assert RequestTally.objects.get().begins == ALL_TIME


def test_sums_by_hour_are_kept_until_somebody_sets_a_limit() -> None:
    version = make_champion()
    Rollup.objects.create(model=version.model, version=version, begins=timezone.now())
    apply_retention(now=ahead(timedelta(days=4000)), by=SYSTEM)
    assert Rollup.objects.count() == 1
    change_retention(changes={"rollups": {"days": 30}}, by=SYSTEM, model=version.model)
    apply_retention(now=ahead(), by=SYSTEM)
    assert not Rollup.objects.exists()
    told = AuditEvent.objects.filter(action="retention.removed", details__kind="rollups").count()
    assert told == 1


@pytest.mark.parametrize(("rule", "kept"), [(None, False), ({"days": 3}, True), ({"days": None}, True)])
def test_answers_can_be_repeated_for_as_long_as_they_are_kept(
    in_tenant: Tenant, rule: dict[str, int | None] | None, kept: bool
) -> None:
    version = make_champion()
    rows, once = rows_of(version), Once("a-key", "0" * 64)
    first = predict_once(once=once, model=version.model, rows=rows, by=SYSTEM)
    KeptAnswer.objects.update(created_at=timezone.now() - timedelta(days=2))
    if rule is not None:
        change_retention(changes={"answers": rule}, by=SYSTEM)
        in_tenant.refresh_from_db()
    sweep_answers(now=timezone.now())
    assert KeptAnswer.objects.exists() is kept
    again = predict_once(once=once, model=version.model, rows=rows, by=SYSTEM)
    assert (again.predictions[0].pk == first.predictions[0].pk) is again.repeated is kept


def test_reports_are_kept_for_a_year() -> None:
    version = make_champion()
    DriftReport.objects.create(
        model=version.model,
        version=version,
        window_start=timezone.now(),
        window_end=timezone.now(),
        rows=1,
        drifted_features=0,
        features=1,
    )
    assert part("drift_reports", ahead(timedelta(days=364))).survey.going == 0
    assert part("drift_reports", ahead(timedelta(days=366))).survey.going == 1
