"""How much each model of an ensemble counts where their answers are stacked rather than voted on.

Both problems are convex, and both are drawn towards given weights: on few rows the data must earn what they
change, or the weights would be learnt by heart.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize, nnls

Floats = npt.NDArray[np.float64]

SMALLEST = 1e-4  # a probability of 0 would have the last word, whatever the others say
PULL = 5.0  # rows' worth of pull towards the given weights
MOST_WEIGHT = 10.0


def pooled(weights: Sequence[float], answers: Sequence[Floats]) -> Floats:
    """Probabilities (n, k) from those of several models: their logarithms' weighted sum, brought back to 1.

    The logarithmic opinion pool (Heskes 1998): weights that sum to more than 1 make the answer surer than
    its parts, so the pool corrects their confidence too.
    """
    total = np.zeros_like(np.asarray(answers[0], dtype="float64"))
    for weight, answer in zip(weights, answers, strict=True):
        total += weight * logarithms(answer)
    return probabilities(total)


def logarithms(answer: Floats) -> Floats:
    """Of probabilities (n, k): what a pool sums."""
    return np.asarray(np.log(np.clip(answer, SMALLEST, 1.0)))


def probabilities(logs: Floats) -> Floats:
    """Probabilities (n, k) in proportion to those whose logarithms are given."""
    raised = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def pool_weights(
    answers: Sequence[Floats], codes: npt.NDArray[np.int64], given: Sequence[float], *, looks: int = 1
) -> Floats:
    """Weights, 0 to 10, of a pool that makes the true classes likeliest.

    Args:
        answers: probabilities (n, k) of rows that the models had not seen. codes: (n,) the true columns.
        given: the weights that these are drawn towards. looks: how many times each row is among them.
    """
    logs, pull = np.stack([logarithms(answer) for answer in answers]), PULL * looks  # logs: (m, n, k)
    rows, prior = np.arange(len(codes)), np.asarray(given, dtype="float64")
    of_truth = logs[:, rows, codes]  # (m, n)

    def loss(weights: Floats) -> tuple[float, Floats]:
        mixed = np.tensordot(weights, logs, axes=1)
        found = probabilities(mixed)
        apart = weights - prior
        value = -np.log(np.clip(found[rows, codes], 1e-300, 1)).sum() + pull * float(apart @ apart)
        slope = np.einsum("nk,mnk->m", found, logs) - of_truth.sum(axis=1) + 2 * pull * apart
        return float(value), slope

    bounds = [(0.0, MOST_WEIGHT)] * len(prior)
    found: Any = minimize(loss, prior, jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x, dtype="float64")


def sum_weights(
    answers: Sequence[Floats], truth: Floats, given: Sequence[float], *, looks: int = 1
) -> Floats:
    """Weights, 0 or more, of the sum of answers (n,) that comes nearest to the truth (least squares).

    Args:
        given: the weights that these are drawn towards, as strongly as by some rows of usual size.
        looks: how many times each row is among them.
    """
    columns = np.column_stack([np.asarray(answer, dtype="float64") for answer in answers])
    prior = np.asarray(given, dtype="float64")
    strength = np.sqrt(PULL * looks) * max(float(np.sqrt((columns**2).mean())), 1e-12)
    system = np.vstack([columns, strength * np.eye(len(prior))])
    weights, _ = nnls(system, np.concatenate([truth, strength * prior]))
    return np.asarray(weights, dtype="float64")
