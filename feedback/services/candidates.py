"""The predictions that are most worth labelling: uncertain, drifted, or seen otherwise by another version."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from django.db.models import Q

from feedback.models import Label, LabelItem, Outcome
from feedback.models.label import LabelState
from feedback.models.quarantine import QuarantineState
from feedback.statistics.worth import (
    Floats,
    difference,
    doubt_of_classes,
    doubt_of_flags,
    ranked,
    strangeness,
)
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from registry.inference.bounds import DEFAULT_COVERAGE
from registry.inference.conformal import Calibration
from registry.models import ModelVersion, Prediction, RegisteredModel, ShadowAnswer
from registry.problems.anomaly import ANOMALY, NORMAL
from registry.services.prediction_reads import record_log_read
from registry.tabular.errors import TooFewRows

LOOKED_AT = 2_000  # of the newest predictions
MOST_LISTED = 100
NOTEWORTHY = 0.8  # the rank from which on a second reason is told, too
OPEN_STATES = (LabelState.SKIPPED, LabelState.WAITING)


class Reason(StrEnum):
    """Why a row is worth a label."""

    UNCERTAIN = "uncertain"
    DRIFTED = "drifted"
    DISAGREEING = "disagreeing"


@dataclass(frozen=True)
class Candidate:
    """A prediction to label; ``worth`` is the share of rows that it stands above by its first reason.

    A row that somebody else asked about, or that waits for a second opinion, does not say so: whoever labels
    it is not to be led.
    """

    prediction: Prediction
    worth: float
    reasons: tuple[Reason, ...]


def labelling_queue(
    *, model: RegisteredModel, by: Actor, reason: Reason | None = None, limit: int = 20
) -> list[Candidate]:
    """Return what this person should label next, the most worth first; second opinions before all.

    Of the newest 2,000 predictions those whose outcome is not known, and that the person has neither labelled
    nor skipped; with a ``reason`` by that alone. Empty for a model whose answers nothing can prove.
    """
    if model.problem.outcome is None:
        return []
    with tenant_transaction():
        waiting = _second_opinions(model, by, limit)
        first = {one.pk for one in waiting}
        rows = [*waiting, *_unlabelled(model, by, first)]
        versions = _versions({row.version_id for row in rows})
        ranks = _ranks(model, rows, versions)
        found = [
            _candidate(row, {name: float(ranks[name][place]) for name in Reason}, reason)
            for place, row in enumerate(rows)
        ]
        wanted = [one for one in found if reason is None or one.worth > 0 or one.prediction.pk in first]
        wanted.sort(key=lambda one: (one.prediction.pk not in first, -one.worth))
        shown = wanted[:limit]
        for one in shown:
            one.prediction.version = versions[one.prediction.version_id]
        if shown:
            record_log_read(by=by, rows=len(shown), asked={"to label": model.name})
    return shown


def choices_of(version: ModelVersion) -> list[str]:
    """Return the classes that a label may be; none for numbers."""
    if version.model.problem.outcome != "label":
        return []
    return list(version.classes) if version.classes else [ANOMALY, NORMAL]


def _second_opinions(model: RegisteredModel, by: Actor, limit: int) -> list[Prediction]:
    mine = Label.objects.filter(model=model, person=_name(by)).values("item")
    items = LabelItem.objects.filter(model=model, state=LabelState.WAITING).exclude(pk__in=mine)
    keys = items.order_by("created_at", "pk").values_list("prediction", flat=True)[:limit]
    return _read(list(keys))


def _unlabelled(model: RegisteredModel, by: Actor, but: Collection[uuid.UUID]) -> list[Prediction]:
    newest = Prediction.objects.filter(model=model).order_by("-created_at", "-pk")
    keys = set(newest.values_list("pk", flat=True)[:LOOKED_AT]) - set(but)
    set_aside = Q(quarantine__state=QuarantineState.OPEN)
    known = Outcome.objects.filter(Q(current=True) | set_aside, prediction__among=keys)
    keys -= set(known.order_by().values_list("prediction", flat=True))
    items = LabelItem.objects.filter(prediction__among=keys).order_by()
    keys -= set(items.exclude(state=LabelState.SKIPPED).values_list("prediction", flat=True))
    mine = items.filter(labels__person=_name(by))
    keys -= set(mine.values_list("prediction", flat=True))
    return _read(list(keys))


def _read(keys: Sequence[uuid.UUID]) -> list[Prediction]:
    return list(Prediction.objects.filter(pk__among=keys).order_by("-created_at", "-pk")) if keys else []


def _ranks(
    model: RegisteredModel, rows: Sequence[Prediction], versions: Mapping[int, ModelVersion]
) -> dict[Reason, Floats]:
    """Return each row's rank by each reason, (n,) each, from 0 to 1."""
    doubt, strange = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    by_version: defaultdict[int, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        by_version[row.version_id].append(place)
    for key, places in by_version.items():
        own = [rows[place] for place in places]
        version = versions[key]
        doubt[places] = _doubt(model, version, own)
        strange[places] = strangeness(version.reference, pd.DataFrame([row.features for row in own]))
    return {
        Reason.UNCERTAIN: ranked(doubt),
        Reason.DRIFTED: ranked(strange),
        Reason.DISAGREEING: ranked(_differences(rows)),
    }


def _doubt(model: RegisteredModel, version: ModelVersion, rows: Sequence[Prediction]) -> Floats:
    """Return how unsure each answer was: by its margin, its distance from the border, or its interval."""
    if model.problem.outcome == "value":
        return np.full(len(rows), _radius(version))
    if version.classes:
        return doubt_of_classes([row.probabilities for row in rows])
    scores = np.array([np.nan if row.value is None else row.value for row in rows], dtype="float64")
    return doubt_of_flags(np.array([row.label == ANOMALY for row in rows], dtype=bool), scores)


def _radius(version: ModelVersion) -> float:
    """Return half the width of the version's intervals, which is the same for all of its numbers."""
    if version.conformal is None:
        return float("nan")
    try:
        return msgspec.convert(version.conformal, Calibration).at(DEFAULT_COVERAGE).radius
    except TooFewRows:
        return float("nan")


def _differences(rows: Sequence[Prediction]) -> Floats:
    """Return how far the furthest answer in shadow lies from the one that the client heard, 0 without any."""
    shadows = ShadowAnswer.objects.filter(prediction__among=[row.pk for row in rows], failure="").order_by()
    answers: defaultdict[uuid.UUID, list[Any]] = defaultdict(list)
    for key, label, value in shadows.values_list("prediction", "label", "value"):
        answers[key].append(label or value)
    found = np.zeros(len(rows))
    for place, row in enumerate(rows):
        others = answers.get(row.pk, [])
        apart = difference([row.label or row.value] * len(others), others)
        found[place] = np.nanmax(apart) if np.isfinite(apart).any() else 0.0
    return found


def _versions(keys: Collection[int]) -> dict[int, ModelVersion]:
    needed = ModelVersion.objects.select_related("model")
    return needed.only("model", "number", "classes", "reference", "conformal").in_bulk(list(keys))


def _candidate(row: Prediction, ranks: Mapping[Reason, float], wanted: Reason | None) -> Candidate:
    ordered = sorted(ranks, key=lambda name: -ranks[name])
    told = [name for name in ordered if ranks[name] >= (NOTEWORTHY if name != ordered[0] else 1e-9)]
    return Candidate(row, ranks[wanted or ordered[0]], tuple(told))


def _name(by: Actor) -> str:
    return str(by)[:200]
