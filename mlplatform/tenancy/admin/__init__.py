"""Console pages of tenants, members, keys, limits, settings and the audit trail."""

from mlplatform.tenancy.admin import (
    accounts,
    api_keys,
    audit,
    grants,
    limits,
    members,
    settings,
    teams,
    tenants,
)

__all__ = ["accounts", "api_keys", "audit", "grants", "limits", "members", "settings", "teams", "tenants"]
