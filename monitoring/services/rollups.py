"""Counting predictions and outcomes by hour and version as they arrive, each exactly once.

A row that was counted is marked so in the transaction that adds it to its hour: whatever dies, it is counted
and marked or neither, and a prediction that arrives late is found by not being marked. A corrected outcome is
taken away and the new one added. What was counted stays when the rows are deleted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from feedback.models import Outcome
from mlplatform.tenancy.scope import tenant_transaction
from monitoring.counting import column_counts, estimate_tallies, outcome_tallies, service_counts
from monitoring.data_counting import data_added, data_counts
from monitoring.frames import asked_of
from monitoring.logged import Answers, Truths
from monitoring.services.concept import follow_errors
from monitoring.services.places import rollups_at, slots_of
from monitoring.services.uncounted import answers_of, mark, truths_of, waiting_answers, waiting_outcomes
from monitoring.statistics.grouping import Groups
from monitoring.statistics.tallies import add_to
from registry.models import Deployment, ModelVersion, Prediction
from registry.models.deployment import CHAMPION
from registry.tabular.histograms import columns_added

BATCH = 10_000
OF_ANSWERS = ("predictions", "columns", "service", "estimate", "data", "updated_at")
OF_OUTCOMES = ("labelled", "quality", "updated_at")


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
        rows = waiting_answers(batch)
        versions = _versions(row[0] for row in rows)
        cuts = _cuts(versions)
        for version_id, answers in answers_of(rows):
            _add_answers(versions[version_id], answers, cuts[version_id])
        mark(Prediction, [row[1] for row in rows], rolled_up=True)
    return len(rows)


def _count_outcomes(batch: int) -> int:
    with tenant_transaction():
        rows = waiting_outcomes(batch)
        versions = _versions(row[0] for row in rows)
        cuts = _cuts(versions)
        for version_id, truths in truths_of(rows):
            _add_outcomes(versions[version_id], truths, cuts[version_id])
        mark(Outcome, [row[1] for row in rows if row[2]], rolled_up=True)
        mark(Outcome, [row[1] for row in rows if not row[2]], rolled_up=False)
    return len(rows)


def _add_answers(version: ModelVersion, answers: Answers, cuts: Sequence[datetime]) -> None:
    asked = asked_of(version, answers.features, answers.answered(version))
    slots = slots_of(version, answers.created_at, cuts, asked.features)
    groups = Groups.made_of(list(slots.values()))
    counted = zip(
        slots.items(),
        column_counts(version, asked, groups),
        service_counts(answers, groups),
        estimate_tallies(version, answers, groups.members),
        data_counts(version, answers, asked, groups),
        strict=True,
    )
    rollups = rollups_at(version, slots)
    for (slot, places), columns, service, estimate, data in counted:
        rollup = rollups[slot]
        rollup.predictions += len(places)
        rollup.columns = columns_added(rollup.columns, columns)
        add_to(rollup.service, service)
        add_to(rollup.estimate, estimate)
        rollup.data = data_added(rollup.data, data)
        rollup.save(update_fields=OF_ANSWERS)


def _add_outcomes(version: ModelVersion, truths: Truths, cuts: Sequence[datetime]) -> None:
    sliced = bool(version.model.slices)
    asked = asked_of(version, truths.features, truths.answered(version)) if sliced else None
    slots = slots_of(version, truths.created_at, cuts, asked.features if asked else None)
    rollups = rollups_at(version, slots)
    current = np.array(truths.current, dtype=bool)
    told, gone = (
        outcome_tallies(version, truths, [places[which[places]] for places in slots.values()])
        for which in (current, ~current)
    )
    for (slot, places), new, old in zip(slots.items(), told, gone, strict=True):
        rollup = rollups[slot]
        rollup.labelled += 2 * int(current[places].sum()) - len(places)
        add_to(rollup.quality, new)
        add_to(rollup.quality, old, times=-1)
        rollup.save(update_fields=OF_OUTCOMES)
    follow_errors(version, truths)


def _cuts(versions: Mapping[int, ModelVersion]) -> dict[int, list[datetime]]:
    """Return when the champion changed, oldest first, by version."""
    changed = Deployment.objects.filter(alias=CHAMPION).order_by("created_at")
    times: dict[int, list[datetime]] = {}
    for model_id, when in changed.filter(
        model__in={version.model_id for version in versions.values()}
    ).values_list("model_id", "created_at"):
        times.setdefault(model_id, []).append(when)
    return {key: times.get(version.model_id, []) for key, version in versions.items()}


def _versions(keys: Iterable[int]) -> dict[int, ModelVersion]:
    needed = ModelVersion.objects.select_related("model", "dataset").only(
        "model", "number", "features", "reference", "classes", "metrics", "dataset__profile"
    )
    return needed.in_bulk(list(set(keys)))
