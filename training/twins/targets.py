"""Back from the scale on which a target was learnt to its own."""

from collections.abc import Callable

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.preprocessing import StandardScaler

from registry.inference.errors import NoTwin
from training.preprocessing.targets import BentTarget
from training.twins.graph import Graph

Undo = Callable[[Graph, str], str]


def unscaled(model: TransformedTargetRegressor) -> Undo:
    """Numbers multiplied and moved back; raises NoTwin for any other transformation."""
    scaler = model.transformer_
    if not isinstance(scaler, StandardScaler):
        raise NoTwin("Its target was transformed.")
    return lambda graph, value: _stretched(graph, value, scaler)


def unbent(model: BentTarget) -> Undo:
    """Numbers held within what training saw, then bent back along Yeo and Johnson's curve (2000)."""
    curve = float(model.curve_.lambdas_[0])

    def undo(graph: Graph, value: str) -> str:
        low, high = graph.constant(model.lowest_), graph.constant(model.highest_)
        value = _stretched(graph, graph.add("Clip", value, low, high), model.curve_._scaler)
        above = graph.add("Sub", _raised(graph, value, curve), graph.constant(1.0))
        below = graph.add("Sub", graph.constant(1.0), _raised(graph, graph.add("Neg", value), 2 - curve))
        return graph.add("Where", graph.add("GreaterOrEqual", value, graph.constant(0.0)), above, below)

    return undo


def _stretched(graph: Graph, value: str, scaler: StandardScaler) -> str:
    wide = graph.add("Mul", value, graph.constant(float(scaler.scale_[0])))
    return graph.add("Add", wide, graph.constant(float(scaler.mean_[0])))


def _raised(graph: Graph, value: str, power: float) -> str:
    """``(value * power + 1) ** (1 / power)``, which becomes the exponential where the power is 0."""
    if abs(power) < np.spacing(1.0):
        return graph.add("Exp", value)
    moved = graph.add("Add", graph.add("Mul", value, graph.constant(power)), graph.constant(1.0))
    return graph.add("Pow", moved, graph.constant(1 / power))
