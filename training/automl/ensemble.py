"""Several models that answer together."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.inference.native import predict
from registry.problems import Predictions
from training.automl.stacking import pooled

Floats = npt.NDArray[np.float64]

ROUNDS = 25
MOST_MEMBERS = 8
MOST_ROWS = 10_000


class VotingRegressor:
    """The weighted mean of fitted pipelines' answers.

    Args:
        pipelines: fitted, each taking the same frame. weights: one each; they sum to 1.
    """

    inner_models = ("pipelines",)

    def __init__(self, pipelines: Sequence[Any], weights: Sequence[float]) -> None:
        self.pipelines = list(pipelines)
        self.weights = [float(weight) for weight in weights]

    def predict(self, frame: pd.DataFrame) -> npt.NDArray[Any]:
        """Numbers, (n,)."""
        return blended(self.weights, [predict(one, frame, None).values for one in self.pipelines])


class StackingRegressor(VotingRegressor):
    """The sum of fitted pipelines' answers, each times its weight; these need not sum to 1."""


class VotingClassifier(VotingRegressor):
    """The weighted mean of fitted pipelines' probabilities.

    Args:
        classes: all labels, sorted.
    """

    def __init__(self, pipelines: Sequence[Any], weights: Sequence[float], classes: Sequence[str]) -> None:
        super().__init__(pipelines, weights)
        self.classes_ = np.asarray(classes, dtype=object)

    def predict_proba(self, frame: pd.DataFrame) -> Floats:
        """Probabilities, (n, classes)."""
        labels = self.classes_.tolist()
        answers = [predict(one, frame, labels).probabilities for one in self.pipelines]
        return self._joined([answer for answer in answers if answer is not None])

    def _joined(self, answers: Sequence[Floats]) -> Floats:
        return blended(self.weights, answers)

    def predict(self, frame: pd.DataFrame) -> npt.NDArray[Any]:
        """The likeliest labels, (n,)."""
        return np.asarray(self.classes_[self.predict_proba(frame).argmax(axis=1)])


class StackingClassifier(VotingClassifier):
    """The weighted pool of fitted pipelines' probabilities (see ``pooled``)."""

    def _joined(self, answers: Sequence[Floats]) -> Floats:
        return pooled(self.weights, answers)


def blended(weights: Sequence[float], answers: Sequence[npt.NDArray[Any]]) -> Floats:
    """The weighted sum of arrays of one shape, in their order."""
    total = weights[0] * np.asarray(answers[0], dtype="float64")
    for weight, answer in zip(weights[1:], answers[1:], strict=True):
        total = total + weight * answer
    return np.asarray(total)


def as_predictions(answer: Floats, classes: Sequence[str] | None) -> Predictions:
    """Numbers (n,), or probabilities (n, k) with the likeliest labels."""
    if classes is None:
        return Predictions(values=answer)
    labels = np.asarray(classes, dtype=object)[answer.argmax(axis=1)]
    return Predictions(values=labels, probabilities=answer, classes=list(classes))


def raw(predictions: Predictions) -> Floats:
    """What is blended: probabilities, or numbers."""
    return predictions.values if predictions.probabilities is None else predictions.probabilities


def choose_members(answers: Sequence[Floats], value: Callable[[Floats], float]) -> dict[int, float]:
    """Weights of the answers by place: greedy forward selection with replacement (Caruana et al. 2004).

    It begins with the best answer, adds in each round whatever makes the mean best, and keeps the round with
    the best mean. At most eight answers get a weight.

    Args:
        answers: out-of-fold answers of one shape. value: how good an answer is, higher is better.
    """
    alone = [value(answer) for answer in answers]
    best = int(np.argmax(alone))
    chosen, total = [best], np.array(answers[best], dtype="float64")
    peak, peak_value = 1, alone[best]
    for _ in range(ROUNDS - 1):
        allowed = sorted(set(chosen)) if len(set(chosen)) >= MOST_MEMBERS else range(len(answers))
        values = {place: value((total + answers[place]) / (len(chosen) + 1)) for place in allowed}
        place = max(values, key=lambda key: (values[key], -key))
        chosen.append(place)
        total = total + answers[place]
        if values[place] > peak_value + 1e-12:
            peak, peak_value = len(chosen), values[place]
        elif len(chosen) - peak >= 5:
            break
    kept = chosen[:peak]
    return {place: kept.count(place) / peak for place in sorted(set(kept))}


def bagged_members(
    answers: Sequence[Floats], value: Callable[[Floats], float], bags: int, seed: int
) -> dict[int, float]:
    """Weights like ``choose_members``, as the mean of choices from ``bags`` random halves of the answers.

    On few rows a greedy choice takes what flatters; whoever is chosen beside changing rivals deserves it
    (Caruana et al. 2004). The eight heaviest keep a weight.
    """
    if bags < 2 or len(answers) < 4:
        return choose_members(answers, value)
    rng = np.random.default_rng(seed)
    total = np.zeros(len(answers))
    for _ in range(bags):
        half = np.sort(rng.permutation(len(answers))[: (len(answers) + 1) // 2])
        for place, weight in choose_members([answers[one] for one in half], value).items():
            total[half[place]] += weight
    heaviest = [int(one) for one in np.argsort(-total, kind="stable")[:MOST_MEMBERS] if total[one] > 0]
    whole = float(total[heaviest].sum())
    return {place: float(total[place]) / whole for place in sorted(heaviest)}
