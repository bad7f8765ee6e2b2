"""Recording trained versions."""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pandas as pd
from django.conf import settings
from django.db import transaction
from django.db.models import Max

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import current_tenant_id, tenant_transaction
from mlplatform.tenancy.services.audit import fields_of, record
from mlplatform.tenancy.services.usage import take_room
from registry.artifacts.formats import dump, load
from registry.artifacts.signing import seal
from registry.errors import ArtifactCorrupt, CannotPredict, VersionNotFound
from registry.inference.answers import MAX_LABEL_LENGTH
from registry.inference.plan import Plan
from registry.inference.twins import StoredTwin
from registry.models import Dataset, ModelVersion, RegisteredModel
from registry.models.version import VersionStatus
from registry.privacy.treatment import Treater
from registry.services.loading import checked, owner_label
from registry.services.personal import dataset_marks, model_marks, tighten
from registry.services.pseudonyms import treater
from registry.services.twins import store_twin
from registry.signals import version_registered
from registry.storage import content_path, demand_stored, read_bytes, write_once
from registry.tabular.schema import Column, SchemaMismatch, coerce_frame, columns_to_json

# Schema, reference and evaluation hold values of the data, and a column may be marked personal later.
UNTOLD = (
    "created_at",
    "reference",
    "features",
    "evaluation",
    "conformal",
    "artifact_signature",
    "twin_signature",
)


@dataclass(frozen=True)
class TrainedModel:
    """What a training hands over. ``sample`` holds at least one row with the feature columns."""

    pipeline: Any
    algorithm: str
    params: dict[str, Any]
    features: list[Column]
    classes: list[str] | None
    metrics: dict[str, float]
    cv_metrics: dict[str, Any]
    importance: list[dict[str, Any]]
    reference: dict[str, Any]
    dataset: Dataset
    holdout_rows: int
    environment: dict[str, Any]
    sample: pd.DataFrame
    seed: int | None
    evaluation: dict[str, Any] = field(default_factory=dict)
    conformal: dict[str, Any] | None = None
    split: dict[str, Any] = field(default_factory=dict)
    twin: StoredTwin | None = None
    origin: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StoredArtifact:
    """A stored, sealed pipeline; ``failure`` says why it cannot predict, and is empty where it can.

    ``twin`` are the version's columns about its twin, whose file is stored as well.
    """

    file: str
    sha256: str
    signature: str
    size_bytes: int
    failure: str
    twin: dict[str, Any] = field(default_factory=dict)


def store_artifact(trained: TrainedModel) -> StoredArtifact:
    """Seal and store the pipeline, then load it back and ask it; call this before the transaction opens."""
    data = dump(trained.pipeline)
    stored = store_bytes(data, Plan(None, trained.features, trained.classes), trained.sample)
    return replace(stored, twin={} if stored.failure else store_twin(trained.twin))


def store_bytes(data: bytes, asked: Plan, sample: pd.DataFrame) -> StoredArtifact:
    """Seal and store an artefact, then load it back and ask it the sample, as ``asked`` says but for the
    pipeline.
    """
    sealed = seal(data, key=settings.ARTIFACT_KEY, owner=owner_label(current_tenant_id()))
    path = content_path("artifacts", sealed.sha256)
    write_once(path, data)
    try:
        stored = checked(read_bytes(path), sealed)
        failure = smoke_failure(replace(asked, pipeline=load(stored)), sample)
    except ArtifactCorrupt as error:
        failure = error.detail
    return StoredArtifact(path, sealed.sha256, sealed.signature, len(data), failure)


def smoke_failure(plan: Plan, sample: pd.DataFrame) -> str:
    """Return why the pipeline cannot answer the sample, or an empty text."""
    if sample.empty:
        return "There was no row to try the model on."
    long = [label for label in plan.classes or () if len(label) > MAX_LABEL_LENGTH]
    if long:
        return f"A class label is longer than {MAX_LABEL_LENGTH} characters: {long[0][:80]}…"
    try:
        plan.answers(coerce_frame(sample, plan.columns))
    except (CannotPredict, SchemaMismatch) as error:
        return error.detail
    return ""


def register_version(
    *, model: RegisteredModel, trained: TrainedModel, artifact: StoredArtifact, by: Actor
) -> ModelVersion:
    """Record the model's next version: READY, or FAILED with the reason where it cannot predict.

    Raises NoRoom where the tenant may store no more, and StorageUnavailable where the file has gone.
    """
    with tenant_transaction():
        take_room(storage_bytes=artifact.size_bytes + artifact.twin.get("twin_bytes", 0))
        for stored in (artifact.file, artifact.twin.get("twin_file")):
            if stored:
                demand_stored(stored)
        # The row lock makes numbering safe on PostgreSQL; SQLite has one writer anyway.
        locked = RegisteredModel.objects.select_for_update(no_key=True).get(pk=model.pk)
        tighten(locked, dataset_marks(Dataset.objects.get(pk=trained.dataset.pk)), by=by)
        model.personal = locked.personal
        highest = ModelVersion.objects.filter(model=model).aggregate(highest=Max("number"))["highest"] or 0
        version = ModelVersion.objects.create(
            model=model,
            number=highest + 1,
            status=VersionStatus.FAILED if artifact.failure else VersionStatus.READY,
            status_reason=artifact.failure[:500],
            created_by=str(by)[:200],
            **_description(trained, treater(model_marks(model))),
            **_artifact_fields(artifact),
        )
        after = fields_of(version, *UNTOLD)
        record(by=by, action="version.registered", target=version, after=after)
    return version


def _description(trained: TrainedModel, treat: Treater) -> dict[str, Any]:
    return {
        "algorithm": trained.algorithm,
        "params": trained.params,
        "features": columns_to_json(treat.columns(trained.features)),
        "classes": trained.classes,
        "metrics": trained.metrics,
        "cv_metrics": trained.cv_metrics,
        "importance": trained.importance,
        "reference": treat.histograms(trained.reference),
        "evaluation": treat.evaluation(trained.evaluation),
        "conformal": trained.conformal,
        "split": trained.split,
        "dataset": trained.dataset,
        "holdout_rows": trained.holdout_rows,
        "environment": trained.environment | ({} if trained.seed is None else {"seed": trained.seed}),
        "origin": trained.origin,
    }


def _artifact_fields(artifact: StoredArtifact) -> dict[str, Any]:
    return {
        "artifact_file": artifact.file,
        "artifact_hash": artifact.sha256,
        "artifact_signature": artifact.signature,
        "artifact_bytes": artifact.size_bytes,
        **artifact.twin,
    }


def announce_version(version: ModelVersion) -> None:
    """Tell higher folders of the version once the running transaction is committed."""
    transaction.on_commit(
        partial(
            version_registered.send_robust,  # a lost notice is harmless: the row is there to be read
            sender=ModelVersion,
            tenant_id=version.tenant_id,
            version_id=version.pk,
        )
    )


def find_version(model: RegisteredModel, number: int) -> ModelVersion:
    """Return the model's version of this number; raises VersionNotFound."""
    try:
        return ModelVersion.objects.select_related("model", "dataset").get(model=model, number=number)
    except ModelVersion.DoesNotExist as error:
        raise VersionNotFound(
            f"Model {model.name} has no version {number}. List them at /api/v1/models/{model.name}/versions."
        ) from error
