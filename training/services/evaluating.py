"""Measuring a fitted pipeline on the rows held out from it, for its version's record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from mlplatform.tenancy.scope import tenant_transaction
from registry.inference.unsupervised import threshold_of
from registry.privacy.treatment import marks_of
from registry.problems import Predictions, ProblemType
from registry.services.pseudonyms import treater
from registry.tabular.schema import Column
from training.evaluation.portraits import cluster_portraits, unusual_rows
from training.evaluation.report import Beside, Evaluation, Evidence, LearningPoint, evaluate
from training.services.evaluations import personal_groups_allowed


@dataclass(frozen=True)
class Measured:
    """A fitted pipeline with its answers for the held-out ``features`` and their ``target``.

    ``beside`` are further columns of these rows, whose groups are to be compared.
    """

    problem: ProblemType
    pipeline: Any
    classes: list[str] | None
    columns: Sequence[Column]
    features: pd.DataFrame
    target: "pd.Series[Any]"
    answers: Predictions
    importance: Sequence[Mapping[str, Any]]
    beside: Beside = field(default_factory=Beside)


def evaluation_of(
    measured: Measured,
    config: Mapping[str, Any],
    *,
    seen: tuple[Any, Predictions] | None = None,
    learning: Sequence[LearningPoint] = (),
) -> dict[str, Any]:
    """Return the fields ``evaluation`` and ``conformal`` of a ``TrainedModel``.

    ``seen`` holds truth and answers of training rows, each by a model that did not learn from the row.
    Personal columns are not shown; where the tenant's settings allow it, their groups are measured under
    pseudonyms or numbers. Where nothing was predicted it is what was found: clusters, or unusual rows.
    """
    if measured.problem.key not in {"classification", "regression"}:
        return {"evaluation": msgspec.to_builtins(_found(measured, config["seed"]))}
    wanted = config.get("fairness") or {}
    evidence = Evidence(
        problem=measured.problem,
        pipeline=measured.pipeline,
        classes=measured.classes,
        frame=measured.features,
        truth=measured.target.to_numpy(),
        answers=measured.answers,
        columns=_ranked(measured.columns, measured.importance),
        **_groups_of(measured),
        fair=wanted.get("columns", []),
        favourable=wanted.get("favourable"),
        seen=seen,
        seed=config["seed"],
    )
    found, calibration = evaluate(evidence)
    found = msgspec.structs.replace(found, learning=list(learning))
    return {"evaluation": msgspec.to_builtins(found), "conformal": msgspec.to_builtins(calibration)}


def _found(measured: Measured, seed: int) -> Evaluation:
    columns = _ranked(measured.columns, measured.importance)
    found = Evaluation(rows=len(measured.features))
    if measured.answers.points is not None:
        portraits = cluster_portraits(measured.features, columns, measured.answers, seed)
        return msgspec.structs.replace(found, clusters=portraits)
    scores, threshold = measured.answers.scores, threshold_of(measured.pipeline)
    if scores is None or threshold is None or not len(scores):
        return found
    anomalies = unusual_rows(measured.features, columns, np.asarray(scores, dtype="float64"), threshold)
    return msgspec.structs.replace(found, anomalies=anomalies)


def _groups_of(measured: Measured) -> dict[str, Any]:
    """Return the personal columns whose groups may be measured, what names these, and what stands beside."""
    columns = _ranked(measured.columns, measured.importance, personal=True)
    marks = marks_of([*columns, *measured.beside.columns])
    if not marks:
        return {"beside": measured.beside}
    if not personal_groups_allowed():
        return {"beside": measured.beside.without(marks)}
    with tenant_transaction():
        return {"beside": measured.beside, "personal": columns, "treat": treater(marks)}


def _ranked(
    columns: Sequence[Column], importance: Sequence[Mapping[str, Any]], *, personal: bool = False
) -> list[Column]:
    """Return the columns that are not personal, or those that are, the most important first."""
    place = {str(item["feature"]): rank for rank, item in enumerate(importance)}
    chosen = [column for column in columns if (column.personal is not None) == personal]
    return sorted(chosen, key=lambda column: place.get(column.name, len(place)))
