"""Counts and tallies of rows: what an hour's roll-up is made of."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitoring.frames import AskedRows
from monitoring.logged import Answers, Truths
from monitoring.statistics.expected import MOST_CLASSES, tally_of_answers
from monitoring.statistics.grouping import Groups, Places
from monitoring.statistics.quality import (
    RESAMPLES,
    Estimate,
    quality_of_detector,
    quality_of_labels,
    quality_of_numbers,
)
from monitoring.statistics.tallies import Tally, tally_of_labels, tally_of_numbers, tally_of_scores
from registry.inference.engines import IMPORTED_ENGINE
from registry.models import ModelVersion
from registry.problems.anomaly import ANOMALY
from registry.tabular.histograms import codes_on, counts_of_codes, width_of

ANSWERS = "prediction"  # the reference's name for the model's own answers
MOST_CALLERS = 50
LATENCY_BINS_A_DECADE = 20
BINS = ("edges", "categories")


def column_counts(version: ModelVersion, asked: AskedRows, groups: Groups) -> list[dict[str, Any]]:
    """Count each column that the version has a reference of, and its answers, on the reference's bins.

    One mapping by column for each group. The bins themselves, which the reference has, are left out.
    """
    columns = {str(name): asked.features[name] for name in asked.features} | {ANSWERS: asked.answers}
    counted: list[dict[str, Any]] = [{} for _ in groups.members]
    for name, values in columns.items():
        reference = version.reference.get(name)
        if reference is None:
            continue
        table = groups.table(codes_on(reference, values), width_of(reference))
        for one, counts in zip(counted, table.tolist(), strict=True):
            one[name] = counts_of_codes(reference, counts)
    return counted


def service_counts(answers: Answers, groups: Groups) -> list[Tally]:
    """Count each group's rows by what answered, from memory or not, who asked, and how long it took.

    The times are counted on bins of the logarithm of milliseconds. Rows of imported history were not served:
    they are only counted, under ``imported``.
    """
    imported = np.array([engine == IMPORTED_ENGINE for engine in answers.engine], dtype=bool)
    if imported.any():
        return _served_alone(answers, groups, imported)
    latency = np.asarray(answers.latency_ms, dtype="float64")
    bins = np.floor(np.log10(np.maximum(latency, 1e-3)) * LATENCY_BINS_A_DECADE).astype("int64")
    columns = zip(
        _counted([engine or "original" for engine in answers.engine], groups),
        groups.count(np.asarray(answers.cached, dtype=bool)).tolist(),
        _counted(answers.asked_by, groups, most=MOST_CALLERS),
        _counted(bins.tolist(), groups),
        groups.total(latency).tolist(),
        strict=True,
    )
    names = ("engine", "cached", "asked_by", "latency", "latency_ms")
    return [dict(zip(names, one, strict=True)) for one in columns]


def _served_alone(answers: Answers, groups: Groups, imported: npt.NDArray[np.bool_]) -> list[Tally]:
    """Count the rows that were served, and how many others each group has."""
    engines = ["" if history else one for one, history in zip(answers.engine, imported, strict=True)]
    served = Groups.made_of([places[~imported[places]] for places in groups.members])
    tallies = service_counts(replace(answers, engine=engines), served)
    told = zip(tallies, groups.count(imported).tolist(), strict=True)
    return [{**one, "imported": count} if count else one for one, count in told]


def _counted(values: Sequence[Hashable], groups: Groups, *, most: int | None = None) -> list[dict[str, int]]:
    """Count the values by group and by their names, of each group the ``most`` frequent."""
    codes, found = pd.factorize(np.asarray(values, dtype=object))
    names = [str(one) for one in found]
    counted = []
    for row in groups.table(codes, len(names)):
        ordered = np.argsort(-row, kind="stable")[:most]
        counted.append({names[place]: int(row[place]) for place in ordered if row[place]})
    return counted


def latency_bin(milliseconds: float) -> int:
    """Return the bin of a duration; a bin is 12 % wide."""
    return math.floor(math.log10(max(milliseconds, 1e-3)) * LATENCY_BINS_A_DECADE)


def latency_percentile(counts: dict[str, int], share: float) -> float | None:
    """Return the milliseconds within which this share of the counted rows was answered; None without rows."""
    places = sorted(int(place) for place in counts)
    if not places:
        return None
    below = np.cumsum([counts[str(place)] for place in places])
    place = places[int(np.searchsorted(below, share * below[-1]))]
    return float(10 ** ((place + 1) / LATENCY_BINS_A_DECADE))


def outcome_tallies(version: ModelVersion, truths: Truths, members: Sequence[Places]) -> list[Tally]:
    """Return the tally of each group's answers held against their outcomes; empty for a clustering."""
    kind = version.model.problem.outcome
    if kind is None:
        return [{} for _ in members]
    if kind == "value":
        truth = np.asarray(truths.value, dtype="float64")
        found = np.asarray(truths.answered_value, dtype="float64")
        return [tally_of_numbers(truth[one], found[one]) for one in members]
    labels = np.array(truths.label, dtype=object)
    answered = np.array(truths.answered_label, dtype=object)
    if version.classes is None:
        scores = np.asarray(truths.answered_value, dtype="float64")
        return [
            tally_of_scores(labels[one], answered[one] == ANOMALY, scores[one], ANOMALY) for one in members
        ]
    chances = _chances(version.classes, truths.probabilities)
    return [
        tally_of_labels(labels[one], answered[one], chances[one], version.classes) if len(one) else {}
        for one in members
    ]


def estimate_tallies(version: ModelVersion, answers: Answers, members: Sequence[Places]) -> list[Tally]:
    """Return what tells each group's quality without outcomes: of a classifier; empty for all other models.

    A regression's is learnt apart, by ``monitoring.services.losses``.
    """
    if version.model.problem.outcome != "label" or not version.classes or len(version.classes) > MOST_CLASSES:
        return [{} for _ in members]
    answered = np.array(answers.label, dtype=object)
    chances = _chances(version.classes, answers.probabilities)
    return [tally_of_answers(answered[one], chances[one], version.classes) for one in members]


def _chances(
    classes: Sequence[str], probabilities: Sequence[Mapping[str, float] | None]
) -> npt.NDArray[np.float64]:
    """Return (n, k) probabilities, NaN where a row has none."""
    none: Mapping[str, float] = {}
    columns = [[(row or none).get(label, np.nan) for row in probabilities] for label in classes]
    return np.array(columns, dtype="float64").T


def quality_of(version: ModelVersion, tally: Tally, *, resamples: int = RESAMPLES) -> dict[str, Estimate]:
    """Return the metrics that a tally of ``outcome_tallies`` tells, by the names of the problem type."""
    if version.model.problem.outcome == "value":
        return quality_of_numbers(tally)
    if version.classes:
        return quality_of_labels(tally, resamples=resamples)
    return quality_of_detector(tally, ANOMALY)
