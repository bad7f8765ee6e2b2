"""Which predictions outcomes are about: named by their ids, or by the client's own keys for the cases.

A case may have been asked about many times. Its outcome counts for the newest prediction that was made before
the outcome's time, and no longer before than the tenant's ``outcome_match_days``.
"""

import uuid
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import NamedTuple, TypeVar

from django.db import connection

from feedback.services.reported import Asked
from mlplatform.tenancy.services.settings import setting
from registry.inference.values import unstorable
from registry.models import Prediction, RegisteredModel
from registry.services.pseudonyms import entity_pseudonyms

K = TypeVar("K")
LONGEST_NAME = 100


class Case(NamedTuple):
    """What an outcome says it is about: a case of a model, and when the outcome happened."""

    model_id: int
    entity: str  # the pseudonym
    moment: datetime


def chunks(values: Sequence[K]) -> Iterator[Sequence[K]]:
    """Yield the values in parts that fit into one query: older builds of SQLite take at most 999."""
    size = 900 if connection.vendor == "sqlite" else 5_000
    for start in range(0, len(values), size):
        yield values[start : start + size]


def locked_predictions(keys: Iterable[uuid.UUID]) -> dict[uuid.UUID, Asked]:
    """Return those of the predictions that there are; their rows stay locked until the transaction ends.

    So corrections queue up. Locking in the order of the keys keeps two overlapping reports from waiting for
    each other.
    """
    found: dict[uuid.UUID, Asked] = {}
    for chunk in chunks(sorted(set(keys), key=attrgetter("int"))):
        rows = Prediction.objects.select_for_update(no_key=True).filter(pk__in=chunk).order_by("pk")
        for row in rows.values_list("pk", "version_id", "created_at"):
            found[row[0]] = Asked(*row)
    return found


def models_named(names: Iterable[str]) -> dict[str, RegisteredModel]:
    """Return those of the models that there are, by name."""
    wanted = {name for name in names if name and unstorable(name, LONGEST_NAME) is None}
    return {one.name: one for one in RegisteredModel.objects.filter(name__in=wanted)} if wanted else {}


def pseudonyms_of(keys: Iterable[str]) -> dict[str, str]:
    """Return the pseudonym of each of the client's keys."""
    distinct = sorted(set(keys))
    return dict(zip(distinct, entity_pseudonyms(distinct), strict=True))


def predictions_of_cases(cases: Iterable[Case]) -> dict[Case, uuid.UUID]:
    """Return the prediction that each case's outcome counts for, where there is one."""
    wanted: defaultdict[int, dict[str, list[Case]]] = defaultdict(lambda: defaultdict(list))
    for case in set(cases):
        wanted[case.model_id][case.entity].append(case)
    if not wanted:
        return {}
    window = timedelta(days=setting("outcome_match_days"))
    found: dict[Case, uuid.UUID] = {}
    for model_id, by_entity in wanted.items():
        for chunk in chunks(sorted(by_entity)):
            asked = {entity: by_entity[entity] for entity in chunk}
            found |= _newest_before(asked, _history(model_id, asked, window), window)
    return found


def _history(
    model_id: int, asked: Mapping[str, Sequence[Case]], window: timedelta
) -> dict[str, list[tuple[datetime, uuid.UUID]]]:
    """Return when each case was asked about, oldest first, and under which id."""
    moments = [case.moment for cases in asked.values() for case in cases]
    rows = Prediction.objects.filter(
        model_id=model_id,
        entity_key__in=list(asked),
        created_at__gte=min(moments) - window,
        created_at__lte=max(moments),
    )
    history: defaultdict[str, list[tuple[datetime, uuid.UUID]]] = defaultdict(list)
    for entity, when, key in rows.order_by("created_at", "pk").values_list("entity_key", "created_at", "pk"):
        history[entity].append((when, key))
    return history


def _newest_before(
    asked: Mapping[str, Sequence[Case]],
    history: Mapping[str, Sequence[tuple[datetime, uuid.UUID]]],
    window: timedelta,
) -> dict[Case, uuid.UUID]:
    found = {}
    for entity, cases in asked.items():
        predictions = history.get(entity, ())
        for case in cases:
            place = bisect_right(predictions, case.moment, key=lambda one: one[0])
            if place and predictions[place - 1][0] >= case.moment - window:
                found[case] = predictions[place - 1][1]
    return found
