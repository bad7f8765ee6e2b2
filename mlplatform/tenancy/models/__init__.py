"""Tables of who may see and do what."""

from mlplatform.tenancy.models.api_key import ApiKey, Scope
from mlplatform.tenancy.models.audit import AuditEvent, AuditHead, ImmutableRow
from mlplatform.tenancy.models.base import TenantManager, TenantModel
from mlplatform.tenancy.models.membership import Membership, Role
from mlplatform.tenancy.models.tenant import Tenant
from mlplatform.tenancy.models.user import User

__all__ = [
    "ApiKey",
    "AuditEvent",
    "AuditHead",
    "ImmutableRow",
    "Membership",
    "Role",
    "Scope",
    "Tenant",
    "TenantManager",
    "TenantModel",
    "User",
]
