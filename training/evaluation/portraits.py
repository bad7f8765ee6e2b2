"""What a model that learnt without answers has found: portraits of clusters, and unusual rows."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import silhouette_samples

from registry.problems import Predictions
from registry.problems.clustering import NO_CLUSTER
from registry.tabular.labels import as_text
from registry.tabular.schema import NUMBER_TYPES, Column, ColumnType

Floats = npt.NDArray[np.float64]

MOST_TRAITS, MOST_CLUSTERS, KEPT_SILHOUETTES, SILHOUETTE_ROWS = 6, 20, 60, 2000
BINS, TOP_ROWS, SHOWN_COLUMNS, LETTERS = 30, 10, 8, 40
LEAST_SPREAD = 0.05  # of a category's share: below, nearly all rows or none have the value
DESCRIBED = NUMBER_TYPES | {ColumnType.category, ColumnType.boolean}


class Trait(msgspec.Struct, frozen=True):
    """A column's typical value in a cluster and among all rows.

    Of numbers the medians, of categories the ``value`` with the shares of rows that have it. ``apart`` is the
    difference of means, or shares, in standard deviations among all rows.
    """

    feature: str
    typical: float
    whole: float
    apart: float
    value: str | None = None


class Portrait(msgspec.Struct, frozen=True):
    """One cluster: its rows, what sets it apart, and how well its rows lie in it (-1 to 1, best first)."""

    name: str
    rows: int
    share: float
    traits: list[Trait]
    silhouette: float | None = None
    silhouettes: list[float] = []


class UnusualRow(msgspec.Struct, frozen=True):
    """A row with its score, and its values by column, those that lie farthest out first."""

    score: float
    values: dict[str, str]


class Anomalies(msgspec.Struct, frozen=True):
    """How the scores are spread (``edges`` one longer than ``counts``), and the most unusual rows."""

    threshold: float
    flagged: int
    edges: list[float]
    counts: list[int]
    rows: list[UnusualRow]


def cluster_portraits(
    frame: pd.DataFrame, columns: Sequence[Column], answers: Predictions, seed: int = 0
) -> list[Portrait]:
    """Portraits of the clusters among the rows, the largest first; of rows in none the last.

    Args:
        frame: (n, d) canonical rows. columns: those that may be shown.
        answers: cluster names, with the (n, k) points that were clustered.
    """
    names = pd.Series(answers.values.astype(str), index=frame.index)
    sizes = names.value_counts()
    order = [name for name in sizes.index if name != NO_CLUSTER][:MOST_CLUSTERS]
    order += [NO_CLUSTER] if NO_CLUSTER in sizes.index else []
    lie = _silhouettes(names, answers.points, seed)
    return [
        Portrait(
            str(name),
            int(sizes[name]),
            float(sizes[name] / len(frame)),
            _traits(frame, (names == name).to_numpy(), columns),
            *_how_well(lie, str(name)),
        )
        for name in order
    ]


def unusual_rows(
    frame: pd.DataFrame, columns: Sequence[Column], scores: Floats, threshold: float
) -> Anomalies:
    """The spread of (n,) scores, and the rows with the highest ones."""
    counts, edges = np.histogram(scores, bins=BINS, range=(min(0.0, scores.min()), max(1.0, scores.max())))
    far = {column.name: _distances(frame[column.name], column) for column in columns}
    top = np.argsort(-scores, kind="stable")[:TOP_ROWS]
    rows = [
        UnusualRow(
            float(scores[place]),
            {
                name: _text(frame[name].iloc[place])
                for name in sorted(far, key=lambda name: -far[name][place])[:SHOWN_COLUMNS]
            },
        )
        for place in top
    ]
    return Anomalies(
        threshold, int((scores > threshold).sum()), [float(edge) for edge in edges], counts.tolist(), rows
    )


def _silhouettes(names: "pd.Series[str]", points: Any, seed: int) -> dict[str, Floats]:
    """The (m,) silhouettes of a sample of the placed rows by cluster; nothing where there is but one."""
    if points is None:
        return {}
    placed = np.flatnonzero((names != NO_CLUSTER).to_numpy())
    some = np.sort(np.random.default_rng(seed).permutation(placed)[:SILHOUETTE_ROWS])
    labels = names.to_numpy()[some]
    if not 1 < len(set(labels)) < len(some):
        return {}
    found = silhouette_samples(np.asarray(points)[some], labels)
    return {str(name): np.sort(found[labels == name])[::-1] for name in np.unique(labels)}


def _how_well(lie: dict[str, Floats], name: str) -> tuple[float | None, list[float]]:
    values = lie.get(name)
    if values is None:
        return None, []
    kept = np.linspace(0, len(values) - 1, min(len(values), KEPT_SILHOUETTES)).round().astype(int)
    return float(values.mean()), [round(float(value), 3) for value in values[kept]]


def _traits(frame: pd.DataFrame, inside: npt.NDArray[np.bool_], columns: Sequence[Column]) -> list[Trait]:
    found = [
        trait
        for column in columns
        if column.type in DESCRIBED and (trait := _trait(frame[column.name], inside, column)) is not None
    ]
    return sorted(found, key=lambda trait: -abs(trait.apart))[:MOST_TRAITS]


def _trait(values: "pd.Series[Any]", inside: npt.NDArray[np.bool_], column: Column) -> Trait | None:
    if column.type in NUMBER_TYPES:
        numbers = values.astype("float64")
        own, spread = numbers[inside].dropna(), numbers.std()
        if own.empty or not spread > 0:
            return None
        apart = (own.mean() - numbers.mean()) / spread
        return Trait(column.name, float(own.median()), float(numbers.median()), float(apart))
    texts = as_text(values).fillna("(missing)")
    own_shares, shares = texts[inside].value_counts(normalize=True), texts.value_counts(normalize=True)
    differences = own_shares.reindex(shares.index, fill_value=0.0) - shares
    value = str(differences.idxmax())
    share = float(shares[value])
    apart = differences[value] / max(np.sqrt(share * (1 - share)), LEAST_SPREAD)
    return Trait(column.name, float(own_shares.get(value, 0.0)), share, float(apart), value[:LETTERS])


def _distances(values: "pd.Series[Any]", column: Column) -> Floats:
    """How far out each of n values lies: numbers in standard deviations, others by how rare they are."""
    if column.type in NUMBER_TYPES:
        numbers = values.astype("float64")
        spread = numbers.std() or 1.0
        far = (numbers - numbers.mean()).abs() / spread
        return np.asarray(far.fillna(0.0), dtype="float64")
    texts = as_text(values).fillna("(missing)")
    shares = texts.map(texts.value_counts(normalize=True)).astype("float64")
    return np.asarray(-np.log(shares), dtype="float64")


def _text(value: Any) -> str:
    if pd.isna(value):
        return "(missing)"
    return f"{value:.4g}" if isinstance(value, float) else str(value)[:LETTERS]
