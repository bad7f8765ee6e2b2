"""Counting predictions and outcomes by hour and version as they arrive, each exactly once.

A row that was counted is marked so in the transaction that adds it to its hour: whatever dies, it is counted
and marked or neither, and a prediction that arrives late is found by not being marked. A corrected outcome is
taken away and the new one added. What was counted stays when the rows are deleted.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.db.models import Manager, QuerySet

from feedback.models import Outcome
from feedback.models.outcome import UNSETTLED
from mlplatform.tenancy.scope import tenant_transaction
from monitoring.counting import BINS, column_counts, estimate_tally, outcome_tally, service_counts
from monitoring.data_counting import data_added, data_counts
from monitoring.frames import AskedRows, frame_of
from monitoring.models import Rollup
from monitoring.services.places import WHOLE, Part, rollup_at, slices_in
from monitoring.services.windows import Window, hour_of
from monitoring.statistics.tallies import Tally
from monitoring.statistics.tallies import added as tallies_added
from registry.models import Deployment, ModelVersion, Prediction
from registry.models.deployment import CHAMPION
from registry.tabular.histograms import added

BATCH = 10_000
MARKED_AT_ONCE = 500
ASKED = (
    *("version_id", "created_at", "features", "label", "value", "probabilities"),
    *("latency_ms", "engine", "cached", "asked_by"),
)


@dataclass(frozen=True)
class RolledUp:
    """How many rows were counted: predictions, and outcomes new or taken away."""

    predictions: int = 0
    outcomes: int = 0


def roll_up(*, batch: int = BATCH) -> RolledUp:
    """Count everything of the active tenant that is not counted yet, ``batch`` rows in a transaction.

    Two at once count nothing twice, and neither returns before what the other has begun is counted, too:
    who reads the sums next reads all of them.
    """
    predictions = outcomes = 0
    while found := _count_predictions(batch):
        predictions += found
    while found := _count_outcomes(batch):
        outcomes += found
    return RolledUp(predictions, outcomes)


def _count_predictions(batch: int) -> int:
    with tenant_transaction():
        waiting = Prediction.objects.filter(rolled_up=False).order_by("version_id", "created_at", "pk")
        rows = list(_locked(waiting).only(*ASKED)[:batch])
        versions = _versions(row.version_id for row in rows)
        cuts = _cuts(versions)
        for (version_id, begins), group in groupby(rows, lambda row: _slot_of(row, cuts)):
            of_hour, version = list(group), versions[version_id]
            asked = frame_of(version, of_hour)
            _add_answers(rollup_at(version, begins), of_hour, asked, version)
            for part, places in slices_in(version, of_hour, asked):
                sliced = [of_hour[place] for place in places]
                _add_answers(rollup_at(version, begins, part), sliced, asked.take(places), version)
        _mark(Prediction.objects, rows, rolled_up=True)
    return len(rows)


def _count_outcomes(batch: int) -> int:
    with tenant_transaction():
        waiting = Outcome.objects.filter(UNSETTLED).select_related("prediction")
        in_order = waiting.order_by("prediction__version_id", "prediction__created_at", "pk")
        rows = list(_locked(in_order)[:batch])
        versions = _versions(row.prediction.version_id for row in rows)
        cuts = _cuts(versions)
        for (version_id, begins), group in groupby(rows, lambda row: _slot_of(row.prediction, cuts)):
            of_hour, version = list(group), versions[version_id]
            _add_outcomes(rollup_at(version, begins), of_hour, version)
            if version.model.slices:
                asked_for = [row.prediction for row in of_hour]
                for part, places in slices_in(version, asked_for, frame_of(version, asked_for)):
                    sliced = [of_hour[place] for place in places]
                    _add_outcomes(rollup_at(version, begins, part), sliced, version)
        _mark(Outcome.objects, [row for row in rows if row.current], rolled_up=True)
        _mark(Outcome.objects, [row for row in rows if not row.current], rolled_up=False)
    return len(rows)


def _add_answers(rollup: Rollup, rows: Sequence[Prediction], asked: AskedRows, version: ModelVersion) -> None:
    rollup.predictions += len(rows)
    rollup.columns = _columns_added(rollup.columns, column_counts(version, asked))
    rollup.service = tallies_added(rollup.service, service_counts(rows))
    rollup.estimate = tallies_added(rollup.estimate, estimate_tally(version, rows))
    rollup.data = data_added(rollup.data, data_counts(version, rows, asked))
    rollup.save()


def _add_outcomes(rollup: Rollup, rows: Sequence[Outcome], version: ModelVersion) -> None:
    for known, times in ((True, 1), (False, -1)):
        told = [row for row in rows if row.current is known]
        rollup.labelled += times * len(told)
        rollup.quality = tallies_added(rollup.quality, outcome_tally(version, told), times=times)
    rollup.save()


def _locked(rows: "QuerySet[Any]") -> "QuerySet[Any]":
    """Wait for rows that another worker counts at this moment, which then are no longer waiting.

    The rows are in one order for everybody, so that two never wait for each other. SQLite has one writer at a
    time anyway.
    """
    return rows.select_for_update(of=("self",))


def _cuts(versions: Mapping[int, ModelVersion]) -> dict[int, list[datetime]]:
    """Return when the champion changed, oldest first, by version."""
    changed = Deployment.objects.filter(alias=CHAMPION).order_by("created_at")
    times: dict[int, list[datetime]] = {}
    for model_id, when in changed.filter(
        model__in={version.model_id for version in versions.values()}
    ).values_list("model_id", "created_at"):
        times.setdefault(model_id, []).append(when)
    return {key: times.get(version.model_id, []) for key, version in versions.items()}


def _slot_of(row: Prediction, cuts: Mapping[int, Sequence[datetime]]) -> tuple[int, datetime]:
    """Return the version and the beginning of the stretch that the row belongs to."""
    hour, changed = hour_of(row.created_at), cuts[row.version_id]
    place = bisect_right(changed, row.created_at)
    return row.version_id, max(hour, changed[place - 1]) if place else hour


def _versions(keys: Iterable[int]) -> dict[int, ModelVersion]:
    needed = ModelVersion.objects.select_related("model", "dataset").only(
        "model", "number", "features", "reference", "classes", "dataset__profile"
    )
    return needed.in_bulk(list(set(keys)))


def _columns_added(known: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    both = {name: added(known[name], found[name]) for name in known.keys() & found.keys()}
    return {**known, **found, **both}


def _mark(rows: "Manager[Any]", counted: Sequence[Any], *, rolled_up: bool) -> None:
    keys = [row.pk for row in counted]
    for start in range(0, len(keys), MARKED_AT_ONCE):
        rows.filter(pk__in=keys[start : start + MARKED_AT_ONCE]).update(rolled_up=rolled_up)


@dataclass(frozen=True)
class Sums:
    """A version's hours taken together; empty mappings where nothing is known.

    ``columns``: histograms on the reference's bins by feature, the answers under ``prediction``.
    """

    predictions: int
    labelled: int
    columns: dict[str, Any]
    service: Tally
    quality: Tally


def sums_of(window: Window, part: Part = WHOLE) -> Sums:
    """Count what is not counted yet, and return the sums over the window."""
    roll_up()
    return sums_between(window.version, window.start, window.end, part)


def sums_between(version: ModelVersion, since: datetime, until: datetime, part: Part = WHOLE) -> Sums:
    """Return the sums over the version's roll-ups, or a slice's, that begin in [since, until)."""
    hours = Rollup.objects.filter(
        version=version,
        begins__gte=since,
        begins__lt=until,
        slice_column=part.column,
        slice_value=part.value,
    )
    predictions = labelled = 0
    columns: dict[str, Any] = {}
    service: Tally = {}
    quality: Tally = {}
    with tenant_transaction():
        found = list(hours.values_list("predictions", "labelled", "columns", "service", "quality"))
    for rows, known, counts, served, told in found:
        predictions, labelled = predictions + rows, labelled + known
        columns = _columns_added(columns, counts)
        service, quality = tallies_added(service, served), tallies_added(quality, told)
    # A column that was marked personal since has lost its reference.
    known = version.reference
    named = {name: _named(known[name], counts) for name, counts in columns.items() if name in known}
    return Sums(predictions, labelled, named, service, quality)


def _named(reference: dict[str, Any], counts: dict[str, Any]) -> dict[str, Any]:
    bins = {name: value for name, value in reference.items() if name in BINS}
    return {**bins, **counts}
