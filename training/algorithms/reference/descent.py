"""Proximal gradient descent on the logistic loss with L1 and L2 penalties."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def sigmoid(z: Floats) -> Floats:
    """1 / (1 + exp(-z)), element by element, without overflow for any finite z."""
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, small) / (1.0 + small)


@dataclass(frozen=True)
class Problem:
    """What is minimised: mean log loss + l2/2 * |w|^2 + l1 * |w|_1; the intercepts are free.

    ``X``: (n, d) inputs; ``Y``: (n, k) zeros and ones, one column for each problem solved side by side;
    ``weight``: (n,) weights that sum to 1.
    """

    X: Floats
    Y: Floats
    weight: Floats
    l1: float
    l2: float

    def loss(self, coef: Floats, intercept: Floats) -> float:
        """Mean log loss, summed over the k problems, without the penalty."""
        z = self.X @ coef + intercept
        # log(1 + exp(z)) - y z, written so that no exponential overflows
        per_row = np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))) - self.Y * z
        return float(self.weight @ per_row.sum(axis=1))

    def cost(self, coef: Floats, intercept: Floats) -> float:
        """The loss with its penalty."""
        penalty = self.l2 / 2 * np.square(coef).sum() + self.l1 * np.abs(coef).sum()
        return self.loss(coef, intercept) + float(penalty)

    def gradient(self, coef: Floats, intercept: Floats) -> tuple[Floats, Floats]:
        """Slopes of the smooth part, (d, k) and (k,)."""
        residual = (sigmoid(self.X @ coef + intercept) - self.Y) * self.weight[:, None]
        return self.X.T @ residual + self.l2 * coef, residual.sum(axis=0)

    def safe_rate(self) -> float:
        """The largest step that is sure to lower the cost: 1 / L, L the steepest bend of the loss.

        The logistic loss bends by at most a quarter of the inputs' largest squared singular value
        (Nesterov 2004, section 2.1).
        """
        inputs = np.column_stack([self.X, np.ones(len(self.X))]) * np.sqrt(self.weight)[:, None]
        bend = 0.25 * float(np.linalg.norm(inputs, 2)) ** 2 + self.l2
        return 1.0 / max(bend, 1e-12)


@dataclass
class Descent:
    """Where the descent ended, and the way there."""

    coef: Floats
    intercept: Floats
    converged: bool = False
    cost_history: list[float] = field(default_factory=list)
    validation_history: list[float] = field(default_factory=list)


def descend(
    problem: Problem,
    *,
    rate: float,
    max_iter: int,
    tol: float,
    validation_loss: Callable[[Floats, Floats], float] | None = None,
    patience: int = 10,
) -> Descent:
    """Walk down until the cost falls by less than ``tol``, or the validation loss stops falling.

    One step is a gradient step on the smooth part and a soft threshold for the L1 penalty, which is what
    makes coefficients exactly zero (ISTA, Beck and Teboulle 2009). With ``validation_loss`` the answer is
    the place where that was lowest.
    """
    shape = (problem.X.shape[1], problem.Y.shape[1])
    here = Descent(np.zeros(shape), np.zeros(shape[1]))
    here.cost_history.append(problem.cost(here.coef, here.intercept))
    best, since_best = (here.coef, here.intercept, np.inf), 0
    for _ in range(max_iter):
        slope, intercept_slope = problem.gradient(here.coef, here.intercept)
        here.coef = soft_threshold(here.coef - rate * slope, rate * problem.l1)
        here.intercept = here.intercept - rate * intercept_slope
        here.cost_history.append(problem.cost(here.coef, here.intercept))
        if validation_loss is not None:
            here.validation_history.append(validation_loss(here.coef, here.intercept))
            if here.validation_history[-1] < best[2] - tol:
                best, since_best = (here.coef, here.intercept, here.validation_history[-1]), 0
            else:
                since_best += 1
        if abs(here.cost_history[-2] - here.cost_history[-1]) < tol or since_best >= patience:
            here.converged = True
            break
    if validation_loss is not None:
        here.coef, here.intercept = best[0], best[1]
    return here


def soft_threshold(values: Floats, by: float) -> Floats:
    """Each value moved towards zero by ``by``, and exactly zero where it would pass it."""
    return np.sign(values) * np.maximum(np.abs(values) - by, 0.0)
