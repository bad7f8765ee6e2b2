"""Lineage as a picture, at the end of the pages of sources, datasets, jobs, versions and deployments."""

from typing import Any

from django.utils.safestring import mark_safe

from mlplatform.admin.extensions import page_sections
from mlplatform.admin.links import list_url, page_url
from mlplatform.admin.parts import Fragment
from mlplatform.pictures import HERE, Arrow, Box, flow
from monitoring.services.lineage import STARTS, lineage_of
from monitoring.services.lineage_links import Kind
from monitoring.services.lineage_nodes import Node

TONES = {
    Kind.SOURCE: "5",
    Kind.DATASET: "4",
    Kind.JOB: "0",
    Kind.VERSION: "2",
    Kind.DEPLOYMENT: "2",
    Kind.PREDICTIONS: "1",
    Kind.OUTCOMES: "1",
    Kind.DECISION: "3",
    Kind.ROLLOUT: "2",
    Kind.SHADOW: "1",
    Kind.BATCH: "1",
}
NOTE = "On the left what it came from, on the right what it led to. Each box leads to its page."
ALONE = "Nothing led to it, and nothing has come of it yet. What is trained, deployed and asked appears here."
CUT = " There is more: open a box at the edge, or ask the API for a greater depth."


def lineage_section(row: Any) -> Fragment:
    """Return the picture of where the row came from and what it led to."""
    found = lineage_of(row)
    boxes = [
        Box(node.key, node.title, node.lines, _address(node), TONES[node.kind], node.key == found.start)
        for node in found.nodes.values()
    ]
    arrows = [Arrow(start, end) for start, end in found.edges]
    title = f"Lineage of {row}"
    # Drawn by mlplatform.pictures, which escapes every word.
    picture = mark_safe(flow(boxes, arrows, title=title))  # noqa: S308
    note = ALONE if not arrows else NOTE if found.complete else NOTE + CUT
    return Fragment(
        "Lineage",
        "admin/parts/flow.html",
        {"picture": picture, "title": title, "here": arrows and HERE},
        note,
    )


def _address(node: Node) -> str:
    row: Any = node.row
    if row is None:
        return ""
    if node.kind is Kind.PREDICTIONS:
        return list_url("registry.prediction", version__id__exact=row.pk)
    if node.kind is Kind.OUTCOMES:
        return list_url("feedback.outcome", model__id__exact=row.model_id)
    return page_url(row)


for table in STARTS:
    page_sections[table._meta.label_lower].at(90)(lineage_section)
