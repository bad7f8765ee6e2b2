"""The language in which versions are searched for: ``metrics.f1 > 0.9 and params.algorithm = "knn"``."""

from registry.search.grammar import AllOf, AnyOf, Comparison, Expression, Not, parse
from registry.search.words import SearchError

__all__ = ["AllOf", "AnyOf", "Comparison", "Expression", "Not", "SearchError", "parse"]
