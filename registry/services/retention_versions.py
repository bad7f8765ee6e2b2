"""Retention of versions and datasets: their files go, their records stay.

What ever ran is history that nothing erases, so a version is not deleted: it becomes archived, and its
artefact and twin are named no more. The sweep of files (``orphans``) deletes what no row names, after its
time of grace and under the lock of the tenant's usage, so a file that another row shares stays.

``VERSION_KEEPERS`` and ``DATASET_KEEPERS`` say what stays however old it is. An app that uses versions for
work of its own adds a line.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.pacing import break_after
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.usage import give_back, locked_usage
from registry.models import Alias, Dataset, Deployment, ModelVersion, PromotionRequest, Rollout
from registry.models.request import RequestState
from registry.models.rollout import ACTIVE_ROLLOUTS
from registry.models.version import VersionStatus
from registry.services.champions import earlier_champions
from registry.services.retention_kinds import SHOWN, Gone, Item, Rule, Scope, Survey
from registry.storage import touch


@dataclass(frozen=True)
class Keeper:
    """Why something stays: a sentence, and the condition on its row (``pk`` of the outer query's row)."""

    words: str
    condition: Callable[[Scope, Rule, datetime], Q | Exists]


def _newest(model: Scope, rule: Rule, now: datetime) -> Q:
    ready = ModelVersion.objects.filter(model=model, status=VersionStatus.READY).order_by("-number")
    return Q(pk__in=list(ready.values_list("pk", flat=True)[: rule.newest]))


def _way_back(model: Scope, rule: Rule, now: datetime) -> Q:
    return Q(pk__in=[one.pk for one in earlier_champions(model)[:1]] if model else [])


def _recently(model: Scope, rule: Rule, now: datetime) -> Exists:
    moved = Q(version=OuterRef("pk")) | Q(previous=OuterRef("pk"))
    return Exists(Deployment.objects.filter(moved, created_at__gte=rule.before(now)))


def _proposed(model: Scope, rule: Rule, now: datetime) -> Exists:
    about = Q(version=OuterRef("pk")) | Q(against=OuterRef("pk"))
    return Exists(PromotionRequest.objects.filter(about, state=RequestState.OPEN))


def _in_a_rollout(model: Scope, rule: Rule, now: datetime) -> Exists:
    either = Q(challenger=OuterRef("pk")) | Q(champion=OuterRef("pk"))
    return Exists(Rollout.objects.filter(either, state__in=ACTIVE_ROLLOUTS))


VERSION_KEEPERS: list[Keeper] = [
    Keeper(
        "It is deployed: an alias points to it.",
        lambda *_: Exists(Alias.objects.filter(version=OuterRef("pk"))),
    ),
    Keeper("It was deployed within the rule's days.", _recently),
    Keeper("It was champion before the present one: a rollback leads to it.", _way_back),
    Keeper("A promotion request about it is open.", _proposed),
    Keeper("A rollout tries it, or compares with it.", _in_a_rollout),
    Keeper("It is among the newest versions of its model.", _newest),
    Keeper("It was made within the rule's days.", lambda _, rule, now: Q(created_at__gte=rule.before(now))),
]
DATASET_KEEPERS: list[Keeper] = [
    Keeper(
        "A version that is kept was trained on it.",
        lambda *_: Exists(ModelVersion.objects.filter(~Q(artifact_file=""), dataset=OuterRef("pk"))),
    ),
    Keeper(
        "The data of a version that is kept extend it: a retraining begins with it again.",
        lambda *_: Exists(ModelVersion.objects.filter(~Q(artifact_file=""), dataset__parent=OuterRef("pk"))),
    ),
    Keeper("It was frozen within the rule's days.", lambda _, rule, now: Q(created_at__gte=rule.before(now))),
]
HEAVY = (
    "features",
    "reference",
    "evaluation",
    "importance",
    "cv_metrics",
    "params",
    "environment",
    "conformal",
)


def version_bytes(version: ModelVersion) -> int:
    """Return what the version's files take of the tenant's room."""
    return version.artifact_bytes + version.twin_bytes


def survey_versions(model: Scope, rule: Rule, now: datetime) -> Survey:
    """Return which versions of the model would be archived by the rule, and why others stay."""
    return _survey(_stored_versions(model), VERSION_KEEPERS, model, rule, now, version_bytes)


def archive_versions(model: Scope, rule: Rule, now: datetime, by: Actor) -> Gone:
    """Archive what the survey says, one version at a time, each looked at again under its lock."""
    with tenant_transaction():
        keys = _unkept(_stored_versions(model), VERSION_KEEPERS, model, rule, now)
    gone = [_archive(key, model, rule, now, by) for key in keys]
    return Gone(sum(one is not None for one in gone), sum(one or 0 for one in gone))


def _archive(key: int, model: Scope, rule: Rule, now: datetime, by: Actor) -> int | None:
    with break_after(), tenant_transaction():
        locked_usage()
        # Whoever promotes it holds it as well, so one of the two sees what the other did.
        version = ModelVersion.objects.select_for_update(no_key=True, of=("self",)).get(pk=key)
        version.model = model  # type: ignore[assignment]  # versions are surveyed by model
        if not _unkept(_stored_versions(model).filter(pk=key), VERSION_KEEPERS, model, rule, now):
            return None
        size = version_bytes(version)
        for path in filter(None, (version.artifact_file, version.twin_file)):
            touch(path)
        reason = f"Over {rule.days} days old, not among the newest {rule.newest}: its files are kept no more."
        ModelVersion.objects.filter(pk=key).update(
            status=VersionStatus.ARCHIVED,
            status_reason=f"{version.status_reason} {reason}".strip()[:500],
            artifact_file="",
            twin_file="",
            twin_bytes=0,
        )
        give_back(storage_bytes=size)
        record(
            by=by,
            action="version.archived",
            target=version,
            before={"status": version.status, "artifact_file": version.artifact_file},
            after={"status": VersionStatus.ARCHIVED, "artifact_file": ""},
            reason=reason,
            bytes=size,
        )
    return size


def survey_datasets(model: Scope, rule: Rule, now: datetime) -> Survey:
    """Return the files of which datasets would go by the rule, and why others stay."""
    return _survey(_stored_datasets(), DATASET_KEEPERS, model, rule, now, lambda dataset: dataset.size_bytes)


def empty_datasets(model: Scope, rule: Rule, now: datetime, by: Actor) -> Gone:
    """Name the files of those datasets no more; schema, profile and hash stay.

    The same content may be imported again, which restores it.
    """
    with tenant_transaction():
        keys = _unkept(_stored_datasets(), DATASET_KEEPERS, model, rule, now)
    gone = [_empty(key, rule, now, by) for key in keys]
    return Gone(sum(one is not None for one in gone), sum(one or 0 for one in gone))


def _empty(key: int, rule: Rule, now: datetime, by: Actor) -> int | None:
    with break_after(), tenant_transaction():
        locked_usage()
        dataset = Dataset.objects.select_for_update(of=("self",)).defer("profile", "columns").get(pk=key)
        if not _unkept(_stored_datasets().filter(pk=key), DATASET_KEEPERS, None, rule, now):
            return None
        touch(dataset.file)
        Dataset.objects.filter(pk=key).update(file="")
        give_back(storage_bytes=dataset.size_bytes, stored_rows=dataset.rows)
        record(
            by=by,
            action="dataset.emptied",
            target=dataset,
            before={"file": dataset.file},
            after={"file": ""},
            reason=f"Older than {rule.days} days, and no version that is kept was trained on it.",
            bytes=dataset.size_bytes,
            rows=dataset.rows,
        )
        return dataset.size_bytes


def _stored_versions(model: Scope) -> QuerySet[ModelVersion]:
    stored = ModelVersion.objects.filter(~Q(artifact_file=""), model=model).select_related("model")
    return stored.defer(*HEAVY).order_by("number")


def _stored_datasets() -> QuerySet[Dataset]:
    return Dataset.objects.exclude(file="").defer("profile", "columns").order_by("pk")


def _unkept(
    rows: QuerySet[Any], keepers: Sequence[Keeper], model: Scope, rule: Rule, now: datetime
) -> list[int]:
    """Return the keys of the rows that nothing keeps."""
    for keeper in keepers:
        rows = rows.filter(~keeper.condition(model, rule, now))
    return list(rows.values_list("pk", flat=True))


def _survey(
    rows: QuerySet[Any],
    keepers: Sequence[Keeper],
    model: Scope,
    rule: Rule,
    now: datetime,
    size: Callable[[Any], int],
) -> Survey:
    with tenant_transaction():
        old = list(rows.filter(created_at__lt=rule.before(now)))
        why: dict[int, list[str]] = {row.pk: [] for row in old}
        for keeper in keepers:
            kept = rows.filter(keeper.condition(model, rule, now), pk__in=why)
            for key in kept.values_list("pk", flat=True):
                why[key].append(keeper.words)
    items = [Item(row.pk, str(row), size(row), " ".join(why[row.pk])) for row in old]
    going = [item for item in items if not item.why]
    return Survey(
        going=len(going),
        bytes=sum(item.bytes for item in going),
        items=going[:SHOWN],
        kept=[item for item in items if item.why][:SHOWN],
    )
