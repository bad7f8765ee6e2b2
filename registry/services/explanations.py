"""What every explanation is made of: the model to ask, what is usual, and which values may be shown."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlplatform.tenancy.scope import current_tenant_id, tenant_transaction
from registry.errors import InvalidRows, NotExplainable
from registry.frames import dataset_frame
from registry.inference.answers import RowAnswer
from registry.inference.explaining import BACKGROUND, explain_rows, most_explained
from registry.inference.plan import Plan
from registry.inference.reasons import Explanation, Reasons, sentence, top_reasons
from registry.inference.schema import rows_frame
from registry.models import ModelVersion
from registry.services.gates import unseen_rows
from registry.services.personal import model_marks
from registry.tabular.schema import coerce_frame

UNSHOWN = "(personal)"
MOST_REMEMBERED = 64
# Of each version that was asked why, the rows that show what is usual.
USUAL: dict[tuple[int, str, int], pd.DataFrame] = {}


@dataclass(frozen=True)
class Explained:
    """Why: of ``label`` where the version tells classes apart, of ``values`` where there was one row.

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
        parts = self.explanation.contributions
        if not self.values:
            return [f"{part.feature} moves it by {abs(part.effect):.3g} on average" for part in parts]
        return [sentence(part, self.values.get(part.feature, "")) for part in parts]

    @property
    def data(self) -> dict[str, Any]:
        """The explanation as JSON."""
        told = self.explanation
        return {
            "model": self.version.model.name,
            "version": self.version.number,
            "explained": self.label,
            "method": told.method,
            "base": told.base,
            "answer": told.answer,
            "fidelity": told.fidelity,
            "rows": self.rows,
            "contributions": [{"feature": one.feature, "effect": one.effect} for one in told.contributions],
            "sentences": self.sentences,
        }


def version_reasons(
    version: ModelVersion,
    plan: Plan,
    rows: Sequence[Mapping[str, Any]],
    answers: Sequence[RowAnswer],
    top: int,
) -> list[Reasons]:
    """Return for each checked row the ``top`` largest contributions to its answer.

    Raises NotExplainable, and InvalidRows where so many rows are too many to be explained at once.
    """
    demand_explainable(version, plan)
    most = most_explained(len(plan.columns))
    if len(rows) > most:
        message = f"At most {most} rows of this model can be explained in a request. Send fewer."
        told = {"row": None, "field": "rows", "code": "too_many", "message": message}
        raise InvalidRows(message, fields=[told])
    places = [0 if plan.classes is None else plan.classes.index(str(one.label)) for one in answers]
    found = explain_rows(
        asker(plan), rows_frame(rows, plan.columns), usual_rows(version, plan), places, seed=0
    )
    return [
        top_reasons(one, answer.label, shown_values(version, plan, row), top)
        for one, answer, row in zip(found, answers, rows, strict=True)
    ]


def demand_explainable(version: ModelVersion, plan: Plan) -> None:
    """Raise NotExplainable where there is nothing that inputs push up or down."""
    if version.model.problem_type not in {"classification", "regression"}:
        raise NotExplainable("Only answers of classifications and regressions can be explained.")
    if plan.classes is not None and not hasattr(plan.pipeline, "predict_proba"):
        raise NotExplainable(
            f"{version} gives no probabilities, so there is nothing that its inputs push up or down. "
            "Train with an algorithm that gives them."
        )


def asker(plan: Plan) -> Callable[[pd.DataFrame], npt.NDArray[np.float64]]:
    """Return what asks the model: canonical rows in, (n, k) probabilities or (n, 1) numbers out."""

    def ask(frame: pd.DataFrame) -> npt.NDArray[np.float64]:
        answers = plan.predict(frame)
        if answers.probabilities is None:
            return answers.values.astype("float64").reshape(-1, 1)
        return answers.probabilities

    return ask


def usual_rows(version: ModelVersion, plan: Plan) -> pd.DataFrame:
    """Return some of the rows that the version was trained on, read once in each process."""
    known_by = (current_tenant_id(), version.artifact_hash, version.pk)
    usual = USUAL.get(known_by)
    if usual is None:
        rows = rows_behind(version, held_out=False)
        chosen = np.sort(np.random.default_rng(0).permutation(len(rows))[:BACKGROUND])
        usual = coerce_frame(rows.iloc[chosen], plan.columns)
        if len(USUAL) >= MOST_REMEMBERED:
            USUAL.clear()
        USUAL[known_by] = usual
    return usual


def rows_behind(version: ModelVersion, *, held_out: bool) -> pd.DataFrame:
    """Return the rows that the version was trained on, or those held out from it."""
    with tenant_transaction():
        dataset = version.dataset
    frame = dataset_frame(dataset)
    chosen: pd.DataFrame = frame[unseen_rows(frame, version.model, [version]) == held_out]
    return chosen


def shown_values(version: ModelVersion, plan: Plan, row: Mapping[str, Any]) -> dict[str, str]:
    """Return the row's values as text, personal ones hidden."""
    personal = set(model_marks(version.model))
    return {
        column.name: UNSHOWN if column.name in personal else _text(row.get(column.name))
        for column in plan.columns
    }


def _text(value: Any) -> str:
    if value is None:
        return "(missing)"
    return f"{value:.4g}" if isinstance(value, float) else str(value)[:60]
