"""Where something came from and what it led to, from source to the retraining that outcomes caused."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Literal

from mlplatform.errors import InvalidInput
from mlplatform.tenancy.models import TenantModel
from mlplatform.tenancy.scope import tenant_transaction
from monitoring.services.lineage_links import LINKS, Kind
from monitoring.services.lineage_nodes import Node, key_of, nodes_of
from registry.models import Dataset, Deployment, ModelVersion
from training.models import DataSource, TrainingJob

DEPTH, DEEPEST = 10, 60
MOST_BESIDE = 6  # nodes of a kind that lead to, or follow, one other node
Direction = Literal["both", "up", "down"]
Ref = tuple[Kind, int]
DATED = (Kind.DEPLOYMENT, Kind.ROLLOUT)
STARTS: dict[type[TenantModel], Kind] = {
    DataSource: Kind.SOURCE,
    Dataset: Kind.DATASET,
    TrainingJob: Kind.JOB,
    ModelVersion: Kind.VERSION,
    Deployment: Kind.DEPLOYMENT,
}


@dataclass
class Lineage:
    """Nodes by their keys, and edges from what leads to what follows; ``complete`` unless there is more."""

    start: str
    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)
    complete: bool = True

    def beside(self, key: str, *, up: bool) -> list[str]:
        """Return the keys of what leads to a node, or of what follows it."""
        return [one if up else other for one, other in self.edges if key == (other if up else one)]


def lineage_of(row: TenantModel, *, direction: Direction = "both", depth: int = DEPTH) -> Lineage:
    """Return what the row came from and what it led to, at most ``depth`` links away.

    ``row`` is a source, dataset, job, version or deployment. Of many nodes that follow one, the newest are
    there, and a count of the others. What is out of sight for whoever asks is neither shown nor walked
    through. Raises InvalidInput for a depth that cannot be.
    """
    if not 1 <= depth <= DEEPEST:
        raise InvalidInput(f"A lineage is 1 to {DEEPEST} links deep.", fields={"depth": [f"1 to {DEEPEST}."]})
    start = (STARTS[type(row)], row.pk)
    found = Lineage(key_of(*start))
    with tenant_transaction():
        found.nodes = {node.key: node for node in nodes_of(start[0], [row.pk]).values()}
        for up in (True, False):
            if direction in ("both", "up" if up else "down"):
                _walk(found, start, depth, up=up)
    return found


def _walk(found: Lineage, start: Ref, depth: int, *, up: bool) -> None:
    """Add what lies in one direction, a link further each time."""
    seen, frontier = {start}, {start}
    for _ in range(depth):
        pairs = list(_pairs(frontier, up=up))
        _load(found, {far for _, far in pairs if key_of(*far) not in found.nodes})
        there = [(near, far) for near, far in pairs if _could_be(found, far, up=up)]
        kept = set(_kept(found, there, up=up))
        found.edges = list(dict.fromkeys([*found.edges, *_edges(kept, up=up)]))
        frontier = {far for _, far in kept} - seen
        seen |= frontier
        if not frontier:
            break
    else:
        found.complete = found.complete and not any(_pairs(frontier, up=up))
    reached = {key for edge in found.edges for key in edge} | {found.start}
    found.nodes = {key: node for key, node in found.nodes.items() if key in reached}


def _could_be(found: Lineage, ref: Ref, *, up: bool) -> bool:
    """Whether the node is there and, looked for upwards, began no later than what came of it.

    Predictions are counted by version, whichever of its deployments and rollouts they were answered under:
    one that was made after the start led to none of what the start came from.
    """
    node, start = found.nodes.get(key_of(*ref)), found.nodes[found.start]
    if node is None or node.at is None or start.at is None:
        return node is not None
    return not (up and node.kind in DATED and node.at > start.at)


def _pairs(frontier: Collection[Ref], *, up: bool) -> Iterator[tuple[Ref, Ref]]:
    """Yield (near, far) for each link of a node of the frontier."""
    keys: dict[Kind, set[int]] = defaultdict(set)
    for kind, pk in frontier:
        keys[kind].add(pk)
    for link in LINKS:
        near, far = (link.follows, link.leads) if up else (link.leads, link.follows)
        if near in keys:
            read = link.pairs(None, keys[near]) if up else link.pairs(keys[near], None)
            for leads, follows in read:
                yield ((near, follows), (far, leads)) if up else ((near, leads), (far, follows))


def _load(found: Lineage, refs: Collection[Ref]) -> None:
    keys: dict[Kind, set[int]] = defaultdict(set)
    for kind, pk in refs:
        keys[kind].add(pk)
    for kind, wanted in keys.items():
        found.nodes |= {node.key: node for node in nodes_of(kind, wanted).values()}


def _kept(found: Lineage, pairs: Collection[tuple[Ref, Ref]], *, up: bool) -> Iterator[tuple[Ref, Ref]]:
    """Yield the newest pairs of each node and kind; a node that counts the others is added to the lineage."""
    beside: dict[tuple[Ref, Kind], set[Ref]] = defaultdict(set)
    for near, far in pairs:
        beside[near, far[0]].add(far)
    for (near, kind), refs in beside.items():
        newest = sorted(refs, key=lambda ref: -ref[1])
        yield from ((near, far) for far in newest[:MOST_BESIDE])
        if len(newest) > MOST_BESIDE:
            _count_others(found, near, kind, len(newest) - MOST_BESIDE, up=up)


def _count_others(found: Lineage, near: Ref, kind: Kind, left: int, *, up: bool) -> None:
    found.complete = False
    key = f"{key_of(*near)}{'<' if up else '>'}{kind}"
    found.nodes[key] = Node(key, kind, f"{left:,} more {kind.plural}", ("older ones",), count=left)
    edge = (key, key_of(*near)) if up else (key_of(*near), key)
    if edge not in found.edges:
        found.edges.append(edge)


def _edges(pairs: Collection[tuple[Ref, Ref]], *, up: bool) -> list[tuple[str, str]]:
    told = [(key_of(*near), key_of(*far)) for near, far in pairs]
    return sorted((far, near) if up else (near, far) for near, far in told)


def tree(found: Lineage, *, up: bool) -> list[str]:
    """Return one direction as lines of text with branches; what stood above is not told twice."""
    told: set[str] = set()

    def lines(key: str, indent: str) -> Iterator[str]:
        beside = found.beside(key, up=up)
        for place, one in enumerate(beside):
            last = place == len(beside) - 1
            again = one in told
            told.add(one)
            branch, note = "└─ " if last else "├─ ", " (see above)" if again else ""
            yield f"{indent}{branch}{_words(found.nodes[one])}{note}"
            if not again:
                yield from lines(one, f"{indent}{'   ' if last else '│  '}")

    return list(lines(found.start, ""))


def _words(node: Node) -> str:
    return ", ".join([node.title, *node.lines])
