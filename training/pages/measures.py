"""How a training is measured, in words: which rows are held out and whose groups are compared."""

from collections.abc import Mapping
from typing import Any

from mlplatform.admin.parts import Facts
from registry.models import ModelVersion
from registry.tabular.splits import HOLDOUT_SHARE
from training.services.evaluations import known_evaluation


def version_measures(version: ModelVersion) -> Facts | None:
    """Return how a version was measured; None for one that was not trained here."""
    job, evaluation = getattr(version, "job", None), known_evaluation(version)
    if job is None and evaluation is None:
        return None
    fair = job.config.get("fairness") if job is not None else None
    if fair is None and evaluation is not None and evaluation.gaps:
        columns = list(dict.fromkeys(gap.column for gap in evaluation.gaps))
        fair = {"columns": columns, "favourable": evaluation.favourable}
    share = version.split.get("share", HOLDOUT_SHARE)
    rows = shown_measures({"split": version.split, "holdout": share, "fairness": fair})
    return Facts("How it was measured", [*rows, ("Rows held out", version.holdout_rows)])


def shown_measures(config: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return how the rows are split and groups compared, as facts for people."""
    rows: list[tuple[str, Any]] = [("Hold-out", shown_split(config))]
    if fair := config.get("fairness"):
        hope = f"; hoped for: {fair['favourable']}" if fair.get("favourable") else ""
        rows.append(("Groups compared", f"By {', '.join(fair['columns'])}{hope}"))
    return rows


def shown_split(config: Mapping[str, Any]) -> str:
    """Return which rows are held out, in words."""
    split = config.get("split") or {}
    share, column = f"{config.get('holdout', HOLDOUT_SHARE):.0%} of the rows", split.get("column")
    if split.get("kind") == "group":
        return f"{share}, whole groups by {column}"
    if split.get("kind") == "time":
        since = f", from {split['cutoff'][:10]} on" if split.get("cutoff") else ""
        return f"{share}, the newest by {column}{since}"
    return f"{share}, by chance"
