"""What is held about a person, who is known by the pseudonym of the client's own key."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Count, Min, Q, QuerySet
from django.utils import timezone

from feedback.errors import WholeTenantNeeded
from feedback.models import HeldOutcome, Label, Outcome, Rating
from mlplatform.errors import InvalidInput
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import (
    WHOLE_TENANT,
    Sight,
    active_sight,
    current_tenant,
    tenant_scope,
    tenant_transaction,
)
from mlplatform.tenancy.services.audit import Subject, record
from mlplatform.tenancy.services.audit_export import Export
from registry.frames import dataset_frame
from registry.inference.values import unstorable
from registry.models import Dataset, ModelVersion, Prediction, RegisteredModel, ShadowAnswer
from registry.services.personal import dataset_marks
from registry.services.pseudonyms import entity_pseudonym, treater
from registry.services.row_checks import MAX_KEY_LENGTH
from registry.tabular.schema import Treatment

AT_ONCE = 500
UNTRACEABLE = (
    "Predictions that were sent without a key cannot be attributed to anybody. A version keeps what it has "
    "learnt until the model is trained anew, and figures over many rows stay as they are."
)


@dataclass(frozen=True)
class Traces:
    """Where the person's rows went beside the log; ``untraceable`` says what nobody can find.

    ``learnt`` lists data frozen from the log, with the versions trained on it; ``named`` lists datasets of
    which a personal column holds the key itself.
    """

    learnt: list[dict[str, Any]]
    named: list[dict[str, Any]]
    untraceable: str = UNTRACEABLE


@dataclass(frozen=True)
class Holdings:
    """What is held about the person: rows by model, reports that wait, and where else the rows went."""

    entity: str
    models: list[dict[str, Any]]
    traces: Traces
    waiting: int = 0

    @property
    def predictions(self) -> int:
        """How many predictions are held."""
        return sum(one["predictions"] for one in self.models)


def subject_of(key: str) -> str:
    """Return the person's pseudonym; raises InvalidInput for a key that no prediction can carry."""
    key = key.strip()
    problem = unstorable(key, MAX_KEY_LENGTH) or (None if key else ("blank", "Must not be blank."))
    if problem is not None:
        raise InvalidInput("The person's key cannot be used.", fields={"entity_key": [problem[1]]})
    return entity_pseudonym(key)


def predictions_about(entity: str, model: RegisteredModel | None) -> QuerySet[Prediction]:
    """Return the logged predictions about the person; raises WholeTenantNeeded.

    Who sees only some of the models must name one: otherwise the answer would be silently incomplete.
    """
    if model is None and active_sight() != WHOLE_TENANT:
        raise WholeTenantNeeded("You see only some of the models. Name one, or ask an admin who sees all.")
    rows = Prediction.objects.filter(entity_key=entity)
    return rows if model is None else rows.filter(model=model)


def held_about(entity: str, model: RegisteredModel | None) -> QuerySet[HeldOutcome]:
    """Return the reports about the person that found no prediction."""
    rows = HeldOutcome.objects.filter(entity_key=entity)
    return rows if model is None else rows.filter(model=model)


def holdings(*, key: str, model: RegisteredModel | None = None, by: Actor) -> Holdings:
    """Return what is held about the person, and record who asked; the trail has the pseudonym alone."""
    entity = subject_of(key)
    with tenant_transaction():
        rows = predictions_about(entity, model).order_by()
        counted = rows.values("model__name").annotate(
            predictions=Count("pk", distinct=True), known=Count("outcomes", distinct=True)
        )
        models = [
            {"model": one["model__name"], "predictions": one["predictions"], "outcomes": one["known"]}
            for one in counted.order_by("model__name")
        ]
        waiting = held_about(entity, model).count()
        record(by=by, action="subject.looked_up", target=subject(entity), models=models, waiting=waiting)
    return Holdings(entity, models, traces(entity=entity, model=model), waiting)


def traces(*, entity: str, model: RegisteredModel | None = None) -> Traces:
    """Return which frozen data and versions the person's rows went into."""
    with tenant_transaction():
        learnt = list(_learnt(entity, model))
        marked = [one for one in Dataset.objects.defer("profile") if dataset_marks(one)]
    return Traces(learnt, [one for dataset in marked for one in _named(dataset, entity)])


def export_subject(*, key: str, model: RegisteredModel | None = None, by: Actor) -> Export[str]:
    """Return everything held about the person as one JSON document, read in short transactions."""
    entity = subject_of(key)
    with tenant_transaction():
        rows = predictions_about(entity, model)
        record(by=by, action="subject.exported", target=subject(entity), predictions=rows.count())
        waiting = [_waiting(one) for one in held_about(entity, model).select_related("model").order_by("pk")]
    about = {"entity": entity, "exported_at": timezone.now().isoformat(), "tenant_wide": model is None}
    about["waiting"] = waiting
    about["traces"] = asdict(traces(entity=entity, model=model))
    name = f"subject-{entity[:12]}-{timezone.now():%Y%m%dT%H%M%SZ}.json"
    return Export(
        name, "application/json", _document(about, _batches(rows, current_tenant(), active_sight()))
    )


def subject(entity: str) -> Subject:
    """Return how the audit trail names a person."""
    return Subject("person", entity, entity)


def _learnt(entity: str, model: RegisteredModel | None) -> Iterator[dict[str, Any]]:
    """Yield the data of retrainings that began after an outcome of the person was known."""
    about = predictions_about(entity, model).filter(outcomes__isnull=False).order_by()
    known = about.values("model").annotate(since=Min("outcomes__received_at"))
    for one in known:
        frozen = Dataset.objects.filter(
            model=one["model"], origin__kind="retraining", created_at__gte=one["since"]
        )
        for dataset in frozen.defer("profile", "columns").order_by("pk"):
            versions = ModelVersion.objects.filter(dataset=dataset).select_related("model")
            yield {
                "dataset": dataset.pk,
                "name": dataset.name,
                "versions": [str(version) for version in versions.only("number", "model__name")],
            }


def _named(dataset: Dataset, entity: str) -> Iterator[dict[str, Any]]:
    marks = dataset_marks(dataset)
    columns = [name for name, mark in marks.items() if mark is Treatment.pseudonymise]
    if not columns:
        return
    frame, treat = dataset_frame(dataset), treater(marks)
    for name in columns:
        rows = int((treat.series(frame[name]) == entity).sum())
        if rows:
            yield {"dataset": dataset.pk, "name": dataset.name, "column": name, "rows": rows}


def _document(about: dict[str, Any], parts: Iterator[list[dict[str, Any]]]) -> Iterator[str]:
    head = json.dumps(about, ensure_ascii=False)
    yield f'{head[:-1]}, "predictions": ['
    separator = "\n"
    for part in parts:
        yield separator + ",\n".join(json.dumps(one, ensure_ascii=False) for one in part)
        separator = ",\n"
    yield "\n]}\n"


def _batches(rows: QuerySet[Prediction], tenant: Tenant, sight: Sight) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows while the answer is sent, when the request's own scope has ended."""
    ordered = (
        rows.order_by("pk")
        .select_related("model", "version")
        .prefetch_related("outcomes", "ratings", "shadows__version", "label_items__labels")
    )
    light = ordered.defer("version__features", "version__reference")
    after = Q()
    while True:
        with tenant_scope(tenant, sight), tenant_transaction():
            batch = list(light.filter(after)[:AT_ONCE])
            told = [_told(prediction) for prediction in batch]
        if not batch:
            return
        yield told
        after = Q(pk__gt=batch[-1].pk)


def _told(prediction: Prediction) -> dict[str, Any]:
    hanging: Any = prediction
    return {
        "id": str(prediction.pk),
        "model": prediction.model.name,
        "version": prediction.version.number,
        "asked_at": prediction.created_at.isoformat(),
        "asked_by": prediction.asked_by,
        "features": prediction.features,
        "answer": prediction.label if prediction.value is None else prediction.value,
        "probabilities": prediction.probabilities,
        "outcomes": [_outcome(outcome) for outcome in prediction.outcomes.all()],
        "ratings": [_rating(rating) for rating in hanging.ratings.all()],
        "labels": [_label(one) for item in hanging.label_items.all() for one in item.labels.all()],
        "in_shadow": [_shadow(answer) for answer in prediction.shadows.all()],
    }


def _shadow(answer: ShadowAnswer) -> dict[str, Any]:
    return {
        "version": answer.version.number,
        "answer": answer.label if answer.value is None else answer.value,
        "probabilities": answer.probabilities,
        "failure": answer.failure,
    }


def _rating(rating: Rating) -> dict[str, Any]:
    return {
        "rating": rating.rating,
        "comment": rating.comment,
        "current": rating.current,
        "received_at": rating.received_at.isoformat(),
        "received_from": rating.received_from,
    }


def _label(label: Label) -> dict[str, Any]:
    said = None if label.skipped else label.told
    return {"value": said, "by": label.person, "at": label.created_at.isoformat()}


def _waiting(held: HeldOutcome) -> dict[str, Any]:
    return {
        "model": held.model.name if held.model else None,
        "value": held.value,
        "rating": held.rating,
        "comment": held.comment,
        "state": held.state,
        "observed_at": held.observed_at and held.observed_at.isoformat(),
        "received_at": held.received_at.isoformat(),
        "received_from": held.received_from,
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "value": outcome.label if outcome.value is None else outcome.value,
        "current": outcome.current,
        "observed_at": outcome.observed_at and outcome.observed_at.isoformat(),
        "received_at": outcome.received_at.isoformat(),
        "received_from": outcome.received_from,
    }
