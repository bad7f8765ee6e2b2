"""Classification: one of a known set of labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.problems.base import Comparison, Metric, Predictions, ProblemType, target_name
from registry.problems.class_metrics import confusion_matrix, label_scores, probability_scores
from registry.problems.compare import compared
from registry.problems.errors import InvalidOutcome, UnusableTarget
from registry.tabular.labels import as_text, label_text

MAX_CLASSES = 200
MIN_ROWS_PER_CLASS = 2
ACCURACY_MARGIN = 0.05


def _labels(values: Sequence[Any] | npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.asarray(values, dtype=object).astype(str).astype(object)


class Classification(ProblemType):
    """Binary and multiclass classification; labels are text throughout."""

    key = "classification"
    title = "Classification"
    watched = "label"
    outcome = "label"
    primary_metric = "f1"  # defined for every classifier, and not flattered by a rare class
    metrics = (
        Metric("f1", "F1 (macro)", higher_is_better=True),
        Metric("accuracy", "Accuracy", higher_is_better=True),
        Metric("balanced_accuracy", "Balanced accuracy", higher_is_better=True),
        Metric("precision", "Precision (macro)", higher_is_better=True),
        Metric("recall", "Recall (macro)", higher_is_better=True),
        Metric("f1_weighted", "F1 (weighted)", higher_is_better=True),
        Metric("precision_weighted", "Precision (weighted)", higher_is_better=True),
        Metric("recall_weighted", "Recall (weighted)", higher_is_better=True),
        Metric("mcc", "Matthews correlation", higher_is_better=True),
        Metric("roc_auc", "ROC AUC (one against the rest)", higher_is_better=True),
        Metric("average_precision", "PR AUC (one against the rest)", higher_is_better=True),
        Metric("log_loss", "Log loss", higher_is_better=False),
        Metric("brier", "Brier score", higher_is_better=False),
        Metric("ece", "Calibration error", higher_is_better=False),
    )

    def check_target(self, target: "pd.Series[Any]") -> None:
        """Two classes at least, each with two rows at least, and not a measurement in disguise."""
        counts = as_text(target).value_counts()
        name = target_name(target)
        if counts.empty:
            raise UnusableTarget(f"Column {name} holds no value. Choose the column that holds the answers.")
        if len(counts) == 1:
            raise UnusableTarget(
                f"Column {name} holds one class, {counts.index[0]!r}, so there is nothing to tell apart. "
                "Add rows of at least one more class, or choose another target."
            )
        if len(counts) > min(MAX_CLASSES, max(2, int(counts.sum()) // 2)):
            raise UnusableTarget(
                f"Column {name} holds {len(counts)} different values in {int(counts.sum())} rows, too many "
                "for classes. Train a regression where it is a measurement, or group the values first."
            )
        rare = [str(label) for label, count in counts.items() if count < MIN_ROWS_PER_CLASS]
        if rare:
            raise UnusableTarget(
                f"Each class of {name} needs at least {MIN_ROWS_PER_CLASS} rows; too rare: "
                f"{', '.join(repr(label) for label in rare[:5])}. Add rows of these classes or remove them."
            )

    def clean_target(self, target: "pd.Series[Any]") -> "pd.Series[Any]":
        """Labels as text ("1" for 1 and 1.0, "true" for True), rows without a label dropped."""
        return as_text(target).dropna().astype(object)

    def score(self, y_true: Sequence[Any] | npt.NDArray[Any], predictions: Predictions) -> dict[str, float]:
        """Label metrics always; those of probabilities where there are any and they are defined."""
        truth = _labels(y_true)
        if not len(truth):
            return {}
        scores = label_scores(confusion_matrix(truth, predictions.values)[1])
        if predictions.probabilities is not None and predictions.classes is not None:
            scores |= probability_scores(truth, predictions.probabilities, predictions.classes)
        return scores

    def reliance(
        self, y_true: Sequence[Any] | npt.NDArray[Any], whole: Predictions, changed: Predictions
    ) -> float:
        """F1 alone: the areas under curves, which it does not need, would take ten times as long."""
        return label_scores(confusion_matrix(_labels(y_true), changed.values)[1])[self.primary_metric]

    def row_scores(
        self, y_true: Sequence[Any] | npt.NDArray[Any], predictions: Predictions
    ) -> npt.NDArray[np.float64]:
        """1 where the label is right, 0 where it is wrong."""
        right: npt.NDArray[np.bool_] = _labels(y_true) == _labels(predictions.values)
        return right.astype("float64")

    def compare(
        self, y_true: Sequence[Any] | npt.NDArray[Any], candidate: Predictions, champion: Predictions
    ) -> Comparison:
        """By accuracy; five points may be lost."""
        ours, theirs = self.row_scores(y_true, candidate), self.row_scores(y_true, champion)
        return compared("accuracy", ours, theirs, ACCURACY_MARGIN)

    def parse_outcome(self, value: object, classes: list[str] | None) -> str | float:
        """As the model spells it: 1, 1.0 and "1" are the same, case is forgiven where unambiguous."""
        label = "" if value is None or value != value else label_text(value)
        if not label or isinstance(value, (dict, list, tuple)):
            raise InvalidOutcome(f"An outcome must be one of the model's classes, not {value!r}.")
        if classes is None or label in classes:
            return label
        spellings = {label.casefold(), _number(label)}
        alike = [known for known in classes if known.casefold() in spellings]
        if len(alike) == 1:
            return alike[0]
        raise InvalidOutcome(
            f"{label[:80]!r} is not a class of this model. Send one of: {', '.join(classes[:20])}"
            f"{' and so on' if len(classes) > 20 else ''}."
        )


def _number(label: str) -> str | None:
    try:
        return label_text(float(label))
    except ValueError:
        return None


def confusion(y_true: Sequence[Any] | npt.NDArray[Any], predictions: Predictions) -> dict[str, Any]:
    """``{"labels": [...], "matrix": [[...]]}``: rows are the truth, columns the prediction; JSON-safe."""
    labels, counts = confusion_matrix(_labels(y_true), _labels(predictions.values))
    return {"labels": labels, "matrix": counts.tolist()}
