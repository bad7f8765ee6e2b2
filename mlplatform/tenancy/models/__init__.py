"""Tables of who may see and do what."""

from mlplatform.tenancy.models.api_key import ApiKey, Scope
from mlplatform.tenancy.models.audit import AuditEvent, AuditHead, ImmutableRow
from mlplatform.tenancy.models.base import TenantManager, TenantModel
from mlplatform.tenancy.models.data_key import DataKey, KeyPurpose
from mlplatform.tenancy.models.erasure import Erasure
from mlplatform.tenancy.models.membership import Membership, Role
from mlplatform.tenancy.models.team import Grant, Team, TeamMember
from mlplatform.tenancy.models.tenant import Tenant
from mlplatform.tenancy.models.usage import RequestCount, Usage
from mlplatform.tenancy.models.user import User

__all__ = [
    "ApiKey",
    "AuditEvent",
    "AuditHead",
    "DataKey",
    "Erasure",
    "Grant",
    "ImmutableRow",
    "KeyPurpose",
    "Membership",
    "RequestCount",
    "Role",
    "Scope",
    "Team",
    "TeamMember",
    "Tenant",
    "TenantManager",
    "TenantModel",
    "Usage",
    "User",
]
