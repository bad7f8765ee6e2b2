"""Console pages of tenants, members, keys and the audit trail."""

from mlplatform.tenancy.admin import accounts, api_keys, audit, members, tenants

__all__ = ["accounts", "api_keys", "audit", "members", "tenants"]
