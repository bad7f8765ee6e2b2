"""Why a version answers as it does, for one row or on the whole."""

from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlplatform.tenancy.actors import Actor
from registry.errors import NotExplainable
from registry.inference.explaining import Ask, explain_row, mean_effects
from registry.inference.plan import Plan
from registry.inference.reasons import Explanation
from registry.inference.schema import check_rows, rows_frame
from registry.inference.shapley import MOST_ROWS
from registry.models import ModelVersion, Prediction, RegisteredModel
from registry.services.explanations import (
    Explained,
    asker,
    demand_explainable,
    rows_behind,
    shown_values,
    usual_rows,
)
from registry.services.personal import model_marks
from registry.services.plans import answering_version, plan_for
from registry.services.prediction_reads import read_prediction
from registry.services.row_checks import invalid_rows
from registry.tabular.schema import coerce_frame

WHOLE_SECONDS = 5.0  # after which an explanation of the whole takes no further rows


def explain_sent_row(
    *, model: RegisteredModel, row: Any, version: int | None = None, label: str | None = None
) -> Explained:
    """Explain the answer for a row as ``predict`` takes it; keeps nothing.

    ``label`` is the class to explain, the answered one by default. Raises what ``predict`` raises, and
    NotExplainable.
    """
    answering = answering_version(model, version)
    plan = explainable_plan(answering)
    errors = check_rows([row], plan.columns)
    if errors:
        raise invalid_rows(errors, answering)
    frame = rows_frame([row], plan.columns)
    chosen = _label(plan, frame, label)
    found = explain_row(_of_class(plan, chosen), frame, usual_rows(answering, plan))
    return Explained(answering, found, chosen, shown_values(answering, plan, row))


def explain_prediction(*, pk: UUID, by: Actor, model: RegisteredModel | None = None) -> Explained:
    """Explain a logged answer, and record who read it.

    Raises PredictionNotFound, also where it is not of the ``model`` that was named, and NotExplainable where
    the log does not keep what the model saw.
    """
    prediction = read_prediction(pk=pk, by=by, model=model)
    hidden = sorted(set(model_marks(prediction.model)) & set(prediction.features) | _dropped(prediction))
    if hidden:
        raise NotExplainable(
            f"The log does not keep the true values of {', '.join(hidden[:5])}, so the answer cannot be "
            "explained from it. Send the row itself to be explained."
        )
    return explain_sent_row(
        model=prediction.model,
        row=prediction.features,
        version=prediction.version.number,
        label=prediction.label or None,
    )


def explain_version(
    *, model: RegisteredModel, version: int | None = None, label: str | None = None
) -> Explained:
    """Return how much each column moves the answers to held-out rows; raises NotExplainable."""
    answering = answering_version(model, version)
    plan = explainable_plan(answering)
    chosen = None if plan.classes is None else (label or plan.classes[-1])
    _known(plan, chosen)
    ask, usual = _of_class(plan, chosen), usual_rows(answering, plan)
    rows = rows_behind(answering, held_out=True)
    some = np.random.default_rng(0).permutation(len(rows))[:MOST_ROWS]
    frame = coerce_frame(rows.iloc[some], plan.columns)
    found = mean_effects(ask, frame, usual, seconds=WHOLE_SECONDS)
    base = float(ask(usual).mean())
    whole = Explanation("shapley", base, base, found.contributions)
    return Explained(answering, whole, chosen, {}, found.rows)


def _dropped(prediction: Prediction) -> set[str]:
    return {column["name"] for column in prediction.version.features if column.get("personal") == "drop"}


def explainable_plan(version: ModelVersion) -> Plan:
    """Return the plan of a version whose answers can be explained; raises NotExplainable."""
    plan = plan_for(version)
    demand_explainable(version, plan)
    return plan


def _label(plan: Plan, frame: pd.DataFrame, label: str | None) -> str | None:
    if plan.classes is None:
        return None
    _known(plan, label)
    return label or str(plan.predict(frame).values[0])


def _known(plan: Plan, label: str | None) -> None:
    if label is not None and label not in (plan.classes or []):
        raise NotExplainable(
            f"{label!r} is not a class of this version. "
            f"Choose one of: {', '.join((plan.classes or [])[:20]) or 'none'}."
        )


def _of_class(plan: Plan, label: str | None) -> Ask:
    """Return what asks the model for one number of each row: the class's probability, or its answer."""
    ask, place = asker(plan), 0
    if plan.classes is not None:
        place = plan.classes.index(label or plan.classes[-1])

    def ask_one(frame: pd.DataFrame) -> npt.NDArray[np.float64]:
        return ask(frame)[:, place]

    return ask_one
