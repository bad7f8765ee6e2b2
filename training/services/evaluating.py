"""Measuring a fitted pipeline on the rows held out from it, for its version's record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pandas as pd

from registry.problems import Predictions, ProblemType
from registry.tabular.schema import Column
from training.evaluation.report import Evidence, LearningPoint, evaluate


@dataclass(frozen=True)
class Measured:
    """A fitted pipeline with its answers for the held-out ``features`` and their ``target``."""

    problem: ProblemType
    pipeline: Any
    classes: list[str] | None
    columns: Sequence[Column]
    features: pd.DataFrame
    target: "pd.Series[Any]"
    answers: Predictions
    importance: Sequence[Mapping[str, Any]]


def evaluation_of(
    measured: Measured,
    config: Mapping[str, Any],
    *,
    seen: tuple[Any, Predictions] | None = None,
    learning: Sequence[LearningPoint] = (),
) -> dict[str, Any]:
    """Return the fields ``evaluation`` and ``conformal`` of a ``TrainedModel``.

    ``seen`` holds truth and answers of training rows, each by a model that did not learn from the row.
    Personal columns are neither sliced nor shown. A kind of problem without a truth to compare with has none.
    """
    if measured.problem.key not in {"classification", "regression"}:
        return {}
    wanted = config.get("fairness") or {}
    evidence = Evidence(
        problem=measured.problem,
        pipeline=measured.pipeline,
        classes=measured.classes,
        frame=measured.features,
        truth=measured.target.to_numpy(),
        answers=measured.answers,
        columns=_ranked(measured.columns, measured.importance),
        fair=wanted.get("columns", []),
        favourable=wanted.get("favourable"),
        seen=seen,
        seed=config["seed"],
    )
    found, calibration = evaluate(evidence)
    found = msgspec.structs.replace(found, learning=list(learning))
    return {"evaluation": msgspec.to_builtins(found), "conformal": msgspec.to_builtins(calibration)}


def _ranked(columns: Sequence[Column], importance: Sequence[Mapping[str, Any]]) -> list[Column]:
    place = {str(item["feature"]): rank for rank, item in enumerate(importance)}
    shown = [column for column in columns if column.personal is None]
    return sorted(shown, key=lambda column: place.get(column.name, len(place)))
