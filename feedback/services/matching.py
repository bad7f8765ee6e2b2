"""Which predictions outcomes are about: named by their ids, or by the client's own keys for the cases.

A case may have been asked about many times. Its outcome counts for the newest prediction that was made before
the outcome's time, and no longer before than the tenant's ``outcome_match_days``.
"""

import uuid
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from feedback.services.reported import Asked
from mlplatform.tenancy.services.settings import setting
from registry.inference.values import unstorable
from registry.models import Prediction, RegisteredModel
from registry.services.pseudonyms import entity_pseudonyms

LONGEST_NAME = 100


class Case(NamedTuple):
    """What an outcome says it is about: a case of a model, and when the outcome happened."""

    model_id: int
    entity: str  # the pseudonym
    moment: datetime


def locked_predictions(keys: Iterable[uuid.UUID]) -> dict[uuid.UUID, Asked]:
    """Return those of the predictions that there are; their rows stay locked until the transaction ends.

    So corrections queue up. Locking in the order of the keys keeps two overlapping reports from waiting for
    each other.
    """
    rows = Prediction.objects.select_for_update(no_key=True).order_by("pk")
    found = rows.filter(pk__among=set(keys))
    return {row[0]: Asked._make(row) for row in found.values_list("pk", "version_id", "created_at")}


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
        found |= _newest_before(by_entity, _history(model_id, by_entity, window), window)
    return found


def _history(
    model_id: int, asked: Mapping[str, Sequence[Case]], window: timedelta
) -> dict[str, list[tuple[datetime, uuid.UUID]]]:
    """Return when each case was asked about, oldest first, and under which id."""
    moments = [case.moment for cases in asked.values() for case in cases]
    rows = Prediction.objects.filter(
        model_id=model_id,
        entity_key__among=asked,
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
