"""Is this data fit to learn from? Checks before training, one table of them. Pure code, no Django."""

from training.checks.base import Finding, Limits, Material, Verdict
from training.checks.table import CHECKS, check_data, worst

__all__ = ["CHECKS", "Finding", "Limits", "Material", "Verdict", "check_data", "worst"]
