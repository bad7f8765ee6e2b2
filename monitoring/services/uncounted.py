"""Reading the rows that no roll-up counts yet, column by column, and marking them as counted."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec
from django.db.models import F, QuerySet, TextField
from django.db.models.functions import Cast

from feedback.models import Outcome
from feedback.models.outcome import UNSETTLED
from mlplatform.tenancy.raw_rows import among
from monitoring.logged import Answers, Truths
from registry.models import Prediction, RegisteredModel

ANSWERED = ("version_id", "key", "created_at", "features_text", "label", "value", "chances_text")
SERVED = ("latency_ms", "engine", "cached", "asked_by")
Row = Sequence[Any]


def as_text(name: str) -> Cast:
    """Return the column as the text it is stored as: a thousand of them are read at once, not one by one."""
    return Cast(F(name), TextField())


def from_texts(texts: Sequence[str | None]) -> list[Any]:
    """Return what the columns' JSON texts say; None where there is none."""
    found: list[Any] = msgspec.json.decode(f"[{','.join([text or 'null' for text in texts])}]")
    return found


def waiting_answers(batch: int) -> list[Row]:
    """Return up to ``batch`` predictions that are not counted, by version and time, locked.

    The rows are for ``answers_of``; their second item is their key.
    """
    waiting = Prediction.objects.filter(rolled_up=False).annotate(
        key=as_text("pk"), features_text=as_text("features"), chances_text=as_text("probabilities")
    )
    in_order = waiting.order_by("version_id", "created_at", "pk")
    return list(_locked(in_order).values_list(*ANSWERED, *SERVED)[:batch])


def answers_of(rows: Sequence[Row]) -> Iterator[tuple[int, Answers]]:
    """Yield each version's key with its rows."""
    for version_id, own in groupby(rows, itemgetter(0)):
        _, _, created_at, features, label, value, chances, *served = zip(*own, strict=True)
        yield (
            version_id,
            Answers(created_at, from_texts(features), label, value, from_texts(chances), *served),
        )


def waiting_outcomes(batch: int) -> list[Row]:
    """Return up to ``batch`` outcomes to be counted or taken away, by version and time of their predictions.

    They are locked; the rows are for ``truths_of``; their second and third items are their key, and whether
    they count. What was asked is read only where a model has slices.
    """
    waiting = Outcome.objects.filter(UNSETTLED).annotate(
        prediction_key=as_text("prediction_id"), chances_text=as_text("prediction__probabilities")
    )
    columns: tuple[str, ...] = (
        *("prediction__version_id", "pk", "current", "prediction_key", "label", "value"),
        *("prediction__created_at", "prediction__label", "prediction__value", "chances_text"),
    )
    if RegisteredModel.objects.exclude(slices={}).exists():
        waiting = waiting.annotate(features_text=as_text("prediction__features"))
        columns += ("features_text",)
    in_order = waiting.order_by("prediction__version_id", "prediction__created_at", "prediction_id", "pk")
    found = list(_locked(in_order).values_list(*columns)[:batch])
    # What is taken away and what takes its place come together: a prediction is not cut in two.
    whole = [row for row in found if row[3] != found[-1][3]] if len(found) == batch else found
    return whole or found


def truths_of(rows: Sequence[Row]) -> Iterator[tuple[int, Truths]]:
    """Yield each version's key with its outcomes."""
    for version_id, own in groupby(rows, itemgetter(0)):
        _, _, current, key, label, value, created_at, answer, found, chances, *rest = zip(*own, strict=True)
        features = from_texts(rest[0]) if rest else []
        yield (
            version_id,
            Truths(key, current, label, value, created_at, answer, found, from_texts(chances), features),
        )


def _locked(rows: "QuerySet[Any]") -> "QuerySet[Any]":
    """Wait for rows that another worker counts at this moment, which then are no longer waiting.

    The rows are in one order for everybody, so that two never wait for each other. SQLite has one writer at a
    time anyway.
    """
    return rows.select_for_update(of=("self",))


def mark(table: type[Prediction] | type[Outcome], keys: Sequence[Any], *, rolled_up: bool) -> None:
    """Note whether the rows with these keys are counted."""
    if keys:
        table.objects.filter(pk__in=among(table, keys)).update(rolled_up=rolled_up)
