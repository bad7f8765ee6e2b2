"""The nodes of a lineage: rows with their words, and counts where there are too many rows to draw.

Every row comes through its table's own manager, so what is out of sight for whoever asks is no node.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlplatform.tenancy.models import TenantModel
from monitoring.models import RetrainingDecision
from monitoring.models.policy import DecisionState
from monitoring.services.lineage_counts import MOST_SHADOWS, Counted, outcomes_of, predictions_of, shadows_of
from monitoring.services.lineage_links import Kind
from registry.models import Dataset, Deployment, ModelVersion
from registry.services.listings import HEAVY_VERSION_COLUMNS
from registry.services.rollouts import rollouts_overview
from training.models import BatchJob, DataSource, TrainingJob


@dataclass(frozen=True)
class Node:
    """One thing in a lineage: ``count`` tells how many rows stand behind a node that stands for many.

    ``row`` is what it is about, of predictions, outcomes and shadows their version; None where ``count`` more
    of a kind were left out.
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


def _rollouts(keys: Collection[int]) -> dict[int, Node]:
    return {
        one.pk: _node(
            Kind.ROLLOUT,
            one,
            f"{one.get_kind_display()} against v{one.champion.number}",
            one.get_state_display(),
            at=one.created_at,
        )
        for one in rollouts_overview().filter(pk__in=keys)
    }


def _batches(keys: Collection[int]) -> dict[int, Node]:
    rows = (
        BatchJob.objects.filter(pk__in=keys).select_related("model").defer("options", "layout", "traceback")
    )
    return {
        one.pk: _node(
            Kind.BATCH, one, str(one), f"{one.get_state_display()}, {one.rows:,} rows", at=one.created_at
        )
        for one in rows
    }


def _predictions(keys: Collection[int]) -> dict[int, Node]:
    return _counted(Kind.PREDICTIONS, lambda n: f"{n:,} prediction{_s(n)}", predictions_of(keys))


def _outcomes(keys: Collection[int]) -> dict[int, Node]:
    return _counted(Kind.OUTCOMES, lambda n: f"{n:,} outcome{_s(n)}", outcomes_of(keys))


def _shadows(keys: Collection[int]) -> dict[int, Node]:
    def title(count: int) -> str:
        told = f"over {MOST_SHADOWS:,}" if count > MOST_SHADOWS else f"{count:,}"
        return f"{told} answer{_s(count)} in shadow"

    return _counted(Kind.SHADOW, title, shadows_of(keys))


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def _counted(kind: Kind, title: Callable[[int], str], counts: Mapping[int, Counted]) -> dict[int, Node]:
    return {
        pk: Node(
            key_of(kind, pk),
            kind,
            title(counts[pk].rows),
            (f"of {version}", f"newest {_day(counts[pk].newest)}"),
            at=counts[pk].newest,
            count=counts[pk].rows,
            row=version,
        )
        for pk, version in _version_rows(counts).items()
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
    Kind.ROLLOUT: _rollouts,
    Kind.SHADOW: _shadows,
    Kind.BATCH: _batches,
}
