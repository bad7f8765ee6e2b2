"""Counting requests by the minute, exactly, however many processes count at the same moment."""

from mlplatform.tenancy.counters.base import Allowance, Counters, Exhausted
from mlplatform.tenancy.counters.choice import counters

__all__ = ["Allowance", "Counters", "Exhausted", "counters"]
