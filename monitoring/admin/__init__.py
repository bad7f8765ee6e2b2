"""Console pages of whether models are still good, and what was done about it."""

from monitoring.admin import alerts, checks, dashboard, decisions, loop, policies, reports, rules

__all__ = ["alerts", "checks", "dashboard", "decisions", "loop", "policies", "reports", "rules"]
