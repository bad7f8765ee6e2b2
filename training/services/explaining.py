"""Why a version answers as it does, for one row or on the whole."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from registry.frames import dataset_frame
from registry.inference.plan import Plan
from registry.inference.schema import check_rows, rows_frame
from registry.models import ModelVersion, Prediction, RegisteredModel
from registry.services.gates import unseen_rows
from registry.services.personal import model_marks
from registry.services.plans import answering_version, plan_for
from registry.services.prediction_reads import read_prediction
from registry.services.serving import invalid_rows
from registry.tabular.schema import coerce_frame
from training.errors import NotExplainable
from training.evaluation.explaining import (
    BACKGROUND,
    Contribution,
    Explanation,
    explain_row,
    mean_effects,
)
from training.evaluation.shapley import MOST_ROWS

WHOLE_SECONDS = 5.0  # after which an explanation of the whole takes no further rows
UNSHOWN = "(personal)"


@dataclass(frozen=True)
class Explained:
    """Why: of ``label`` where the version tells classes apart, of ``row`` where there was one.

    ``rows`` is how many the explanation of the whole rests on, None for a single row.
    """

    version: ModelVersion
    explanation: Explanation
    label: str | None
    values: dict[str, str]
    rows: int | None = None

    @property
    def sentences(self) -> list[str]:
        """Say each effect in words, the largest first."""
        return [self._sentence(part) for part in self.explanation.contributions]

    def _sentence(self, part: Contribution) -> str:
        if not self.values:
            return f"{part.feature} moves it by {abs(part.effect):.3g} on average"
        way = "pushes up by" if part.effect >= 0 else "pushes down by"
        return f"{part.feature} {self.values.get(part.feature, '')} {way} {abs(part.effect):.3g}"


def explain_sent_row(
    *, model: RegisteredModel, row: Any, version: int | None = None, label: str | None = None
) -> Explained:
    """Explain the answer for a row as ``predict`` takes it; keeps nothing.

    ``label`` is the class to explain, the answered one by default. Raises what ``predict`` raises, and
    NotExplainable.
    """
    answering = answering_version(model, version)
    plan = _explainable(answering)
    errors = check_rows([row], plan.columns)
    if errors:
        raise invalid_rows(errors, answering)
    frame = rows_frame([row], plan.columns)
    chosen = _label(plan, frame, label)
    found = explain_row(_ask(plan, chosen), frame, _usual(answering, plan))
    return Explained(answering, found, chosen, _values(answering, plan, row))


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
    plan = _explainable(answering)
    chosen = None if plan.classes is None else (label or plan.classes[-1])
    _known(plan, chosen)
    ask, usual = _ask(plan, chosen), _usual(answering, plan)
    rows = _rows(answering, held_out=True)
    some = np.random.default_rng(0).permutation(len(rows))[:MOST_ROWS]
    frame = coerce_frame(rows.iloc[some], plan.columns)
    found = mean_effects(ask, frame, usual, seconds=WHOLE_SECONDS)
    base = float(ask(usual).mean())
    whole = Explanation("shapley", base, base, found.contributions)
    return Explained(answering, whole, chosen, {}, found.rows)


def _dropped(prediction: Prediction) -> set[str]:
    return {column["name"] for column in prediction.version.features if column.get("personal") == "drop"}


def _explainable(version: ModelVersion) -> Plan:
    if version.model.problem_type not in {"classification", "regression"}:
        raise NotExplainable("Only answers of classifications and regressions can be explained.")
    plan = plan_for(version)
    if plan.classes is not None and not hasattr(plan.pipeline, "predict_proba"):
        raise NotExplainable(
            f"{version} gives no probabilities, so there is nothing that its inputs push up or down. "
            "Train with an algorithm that gives them."
        )
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


def _ask(plan: Plan, label: str | None) -> Any:
    def ask(frame: pd.DataFrame) -> Any:
        answers = plan.predict(frame)
        if answers.probabilities is None or plan.classes is None:
            return answers.values.astype("float64")
        return answers.probabilities[:, plan.classes.index(label or plan.classes[-1])]

    return ask


def _usual(version: ModelVersion, plan: Plan) -> pd.DataFrame:
    rows = _rows(version, held_out=False)
    chosen = np.sort(np.random.default_rng(0).permutation(len(rows))[:BACKGROUND])
    return coerce_frame(rows.iloc[chosen], plan.columns)


def _rows(version: ModelVersion, *, held_out: bool) -> pd.DataFrame:
    """Return the rows that the version was trained on, or those held out from it."""
    with tenant_transaction():
        dataset = version.dataset
    frame = dataset_frame(dataset)
    chosen: pd.DataFrame = frame[unseen_rows(frame, version.model, [version]) == held_out]
    return chosen


def _values(version: ModelVersion, plan: Plan, row: dict[str, Any]) -> dict[str, str]:
    personal = set(model_marks(version.model))
    return {
        column.name: UNSHOWN if column.name in personal else _text(row.get(column.name))
        for column in plan.columns
    }


def _text(value: Any) -> str:
    if value is None:
        return "(missing)"
    return f"{value:.4g}" if isinstance(value, float) else str(value)[:60]
