"""From a fitted pipeline to its twin in ONNX, in 64-bit numbers throughout. Pure code, no Django.

A twin has a graph for each estimator and a recipe of what stands before and after (``registry.inference``).
The graphs are written here, node by node: the usual converters round the answers of trees to 32 bits, which
moves probabilities, and cannot say what stands around an estimator (decision 0018).
"""

from registry.inference.errors import NoTwin
from training.twins.making import make_twin

__all__ = ["NoTwin", "make_twin"]
