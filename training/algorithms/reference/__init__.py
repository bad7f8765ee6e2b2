"""Two algorithms written out in numpy: to learn from, and to check scikit-learn's against."""

from training.algorithms.reference.logistic_regression import GradientDescentLogisticRegression
from training.algorithms.reference.tree import ReferenceDecisionTree

__all__ = ["GradientDescentLogisticRegression", "ReferenceDecisionTree"]
