"""The nodes of a lineage: rows with their words, and counts where there are too many rows to draw.

Every row comes through its table's own manager, so what is out of sight for whoever asks is no node.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max

from feedback.models import Outcome
from mlplatform.tenancy.models import TenantModel
from monitoring.models import RetrainingDecision
from monitoring.models.policy import DecisionState
from monitoring.services.lineage_links import Kind
from registry.models import Dataset, Deployment, ModelVersion, Prediction
from registry.services.listings import HEAVY_VERSION_COLUMNS
from training.models import DataSource, TrainingJob

OF_VERSION = {Kind.PREDICTIONS, Kind.OUTCOMES}


@dataclass(frozen=True)
class Node:
    """One thing in a lineage: ``count`` tells how many rows stand behind a node that stands for many.

    ``row`` is what it is about, of predictions and outcomes their version; None where ``count`` more of a
    kind were left out.
    """

    key: str
    kind: Kind
    title: str
    lines: tuple[str, ...] = ()
    at: datetime | None = None
    count: int | None = None
    row: TenantModel | None = None

    @property
    def pk(self) -> int | None:
        """The key of the row behind it."""
        return None if self.row is None else self.row.pk


def key_of(kind: Kind, pk: int) -> str:
    """Return what a node is known by."""
    return f"{kind}:{pk}"


def nodes_of(kind: Kind, keys: Collection[int]) -> dict[int, Node]:
    """Return the nodes of one kind by their rows' keys, but for rows that are not there, or out of sight."""
    return LOADERS[kind](keys)


def _sources(keys: Collection[int]) -> dict[int, Node]:
    return {
        one.pk: _node(Kind.SOURCE, one, f"Source {one.name}", one.get_kind_display(), at=one.created_at)
        for one in DataSource.objects.filter(pk__in=keys)
    }


def _datasets(keys: Collection[int]) -> dict[int, Node]:
    rows = Dataset.objects.filter(pk__in=keys).defer("profile", "columns")
    return {
        one.pk: _node(Kind.DATASET, one, f"Data {one}", f"{one.rows:,} rows", at=one.created_at)
        for one in rows
    }


def _jobs(keys: Collection[int]) -> dict[int, Node]:
    rows = TrainingJob.objects.filter(pk__in=keys).select_related("model").defer("config", "findings", "log")
    return {
        one.pk: _node(
            Kind.JOB, one, str(one), f"{one.get_state_display()}, {_small(one.get_trigger_display())}",
            at=one.created_at,
        )
        for one in rows
    }  # fmt: skip


def _versions(keys: Collection[int]) -> dict[int, Node]:
    return {
        pk: _node(Kind.VERSION, one, str(one), one.algorithm.replace("_", " "), at=one.created_at)
        for pk, one in _version_rows(keys).items()
    }


def _deployments(keys: Collection[int]) -> dict[int, Node]:
    rows = Deployment.objects.filter(pk__in=keys).select_related("model")
    return {
        one.pk: _node(
            Kind.DEPLOYMENT,
            one,
            f"{one.get_action_display()}: {one.alias}",
            f"by {one.actor}",
            at=one.created_at,
        )
        for one in rows
    }


def _decisions(keys: Collection[int]) -> dict[int, Node]:
    rows = RetrainingDecision.objects.filter(pk__in=keys)
    return {
        one.pk: _node(Kind.DECISION, one, _decided(one), one.get_state_display(), at=one.created_at)
        for one in rows
    }


def _decided(decision: RetrainingDecision) -> str:
    back = decision.state == DecisionState.ROLLED_BACK
    return "Rollback decided" if back else "Retraining decided"


def _predictions(keys: Collection[int]) -> dict[int, Node]:
    rows = Prediction.objects.filter(version__in=keys).order_by()
    counts = rows.values_list("version").annotate(count=Count("pk"), newest=Max("created_at"))
    return _counted(Kind.PREDICTIONS, "prediction", keys, {pk: (n, at) for pk, n, at in counts})


def _outcomes(keys: Collection[int]) -> dict[int, Node]:
    rows = Outcome.objects.filter(prediction__version__in=keys, current=True).order_by()
    counts = rows.values_list("prediction__version").annotate(count=Count("pk"), newest=Max("received_at"))
    return _counted(Kind.OUTCOMES, "outcome", keys, {pk: (n, at) for pk, n, at in counts})


def _counted(
    kind: Kind, word: str, keys: Collection[int], counts: Mapping[int, tuple[int, datetime]]
) -> dict[int, Node]:
    versions = _version_rows([pk for pk in keys if pk in counts])
    return {
        pk: Node(
            key_of(kind, pk),
            kind,
            f"{counts[pk][0]:,} {word}{'' if counts[pk][0] == 1 else 's'}",
            (f"of {version}", f"newest {_day(counts[pk][1])}"),
            at=counts[pk][1],
            count=counts[pk][0],
            row=version,
        )
        for pk, version in versions.items()
    }


def _version_rows(keys: Collection[int]) -> dict[int, ModelVersion]:
    rows = ModelVersion.objects.filter(pk__in=keys).select_related("model").defer(*HEAVY_VERSION_COLUMNS)
    return {one.pk: one for one in rows}


def _node(kind: Kind, row: Any, title: str, line: str, *, at: datetime) -> Node:
    return Node(key_of(kind, row.pk), kind, title, (line, _day(at)), at, row=row)


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _small(words: str) -> str:
    return words[:1].lower() + words[1:]


LOADERS: dict[Kind, Callable[[Collection[int]], dict[int, Node]]] = {
    Kind.SOURCE: _sources,
    Kind.DATASET: _datasets,
    Kind.JOB: _jobs,
    Kind.VERSION: _versions,
    Kind.DEPLOYMENT: _deployments,
    Kind.PREDICTIONS: _predictions,
    Kind.OUTCOMES: _outcomes,
    Kind.DECISION: _decisions,
}
