"""What suits a dataset, from its schema and profile alone."""

from typing import Any

import msgspec

from registry.models import Dataset, RegisteredModel
from registry.tabular.schema import Column
from registry.tabular.splits import HOLDOUT_SHARE
from training.automl.suggestions import Facts, Suggestion, hints, suggest
from training.services.configs import check_dataset, feature_columns
from training.services.limits import limits_of


def suggestions_for(*, model: RegisteredModel, dataset: Dataset) -> tuple[list[Suggestion], list[str]]:
    """Return the algorithms that suit, the best first, and what else the data asks for.

    Raises UnusableData where the dataset does not fit the model at all.
    """
    check_dataset(model, dataset)
    facts = facts_of(model, dataset)
    return suggest(facts, threads=limits_of({}).cpus), hints(facts)


def facts_of(model: RegisteredModel, dataset: Dataset) -> Facts:
    """Return what is known of the dataset for this model without reading its rows."""
    profile: dict[str, Any] = dataset.profile["columns"]
    columns = feature_columns(model, dataset)
    of_target = profile.get(model.target) or {} if model.target else {}
    rows = max(1, round(dataset.rows * (1 - HOLDOUT_SHARE)))
    missing = sum((profile.get(column.name) or {}).get("missing") or 0 for column in columns)
    classes = of_target.get("distinct") or 2
    histogram = of_target.get("histogram") or {}
    counts = histogram.get("counts") or []
    known = "categories" in histogram and not histogram.get("other") and sum(counts) > 0
    return Facts(
        problem=model.problem_type,
        rows=rows,
        inputs=len(columns),
        classes=classes if model.problem_type == "classification" else 1,
        missing=missing / max(1, dataset.rows * len(columns)),
        categories=max((_categories(column, profile) for column in columns), default=0),
        rarest=min(counts) / sum(counts) if known else None,
    )


def as_json(found: list[Suggestion], told: list[str]) -> dict[str, Any]:
    """Return the suggestions as they are shown."""
    return {"algorithms": msgspec.to_builtins(found), "hints": told}


def _categories(column: Column, profile: dict[str, Any]) -> int:
    if column.type != "category":
        return 0
    return int((profile.get(column.name) or {}).get("distinct") or 0)
