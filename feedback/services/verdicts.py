"""Understanding reported outcomes: which prediction is meant, and what the value says of it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from feedback.models import Outcome
from registry.models import ModelVersion, Prediction, RegisteredModel
from registry.problems import InvalidOutcome

Reported = tuple[str | uuid.UUID, object]


@dataclass(frozen=True)
class Verdict:
    """The canonical outcome of one prediction: a label of a classification, a value of a regression."""

    model: RegisteredModel
    label: str
    value: float | None

    def says(self, outcome: Outcome | None) -> bool:
        """Whether the stored outcome says the same."""
        return outcome is not None and (outcome.label, outcome.value) == (self.label, self.value)


def parse_items(items: Sequence[Reported]) -> tuple[dict[uuid.UUID, Verdict], list[dict[str, Any]]]:
    """Return a verdict for each prediction, and an error for each item that is wrong.

    The predictions' rows are locked until the transaction ends, so that corrections queue up.
    """
    keys = [_as_uuid(prediction_id) for prediction_id, _ in items]
    predictions = _predictions([key for key in keys if key is not None])
    versions = _versions({prediction.version_id for prediction in predictions.values()})
    verdicts: dict[uuid.UUID, Verdict] = {}
    errors: list[dict[str, Any]] = []
    for index, (key, (prediction_id, value)) in enumerate(zip(keys, items, strict=True)):
        prediction = predictions.get(key) if key else None
        if key is None or prediction is None:
            errors.append(
                outcome_error(index, prediction_id, "unknown_prediction", "There is no such prediction.")
            )
            continue
        try:
            verdict = _verdict(versions[prediction.version_id], value)
        except InvalidOutcome as error:
            errors.append(outcome_error(index, prediction_id, error.code, error.detail))
            continue
        if verdicts.setdefault(key, verdict) != verdict:
            message = "The report holds another value for this prediction. Send one of them."
            errors.append(outcome_error(index, prediction_id, "contradiction", message))
    return verdicts, errors


def outcome_error(index: int, prediction_id: object, code: str, message: str) -> dict[str, Any]:
    """Describe one item that is wrong; ``index`` counts from 0."""
    return {"index": index, "prediction_id": str(prediction_id)[:80], "code": code, "message": message}


def _as_uuid(text: str | uuid.UUID) -> uuid.UUID | None:
    try:
        return text if isinstance(text, uuid.UUID) else uuid.UUID(text)
    except (ValueError, AttributeError, TypeError):
        return None


def _predictions(keys: list[uuid.UUID]) -> dict[uuid.UUID, Prediction]:
    # Locking in the order of the keys keeps two overlapping reports from waiting for each other.
    rows = Prediction.objects.select_for_update().only("pk", "version_id").order_by("pk")
    return rows.in_bulk(sorted(set(keys)))


def _versions(keys: set[int]) -> dict[int, ModelVersion]:
    return ModelVersion.objects.select_related("model").only("classes", "model").in_bulk(keys)


def _verdict(version: ModelVersion, value: object) -> Verdict:
    parsed = version.model.problem.parse_outcome(value, version.classes)
    if isinstance(parsed, str):
        return Verdict(version.model, parsed, None)
    return Verdict(version.model, "", parsed)
