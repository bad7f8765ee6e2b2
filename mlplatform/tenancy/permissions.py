"""Who may do what: one table for roles, one for key scopes, one for the console's models.

Admin, API and commands all ask ``can``.
"""

from enum import StrEnum

from django.contrib.auth.models import AnonymousUser

from mlplatform.errors import NotAllowed
from mlplatform.tenancy.lookups import memberships_of
from mlplatform.tenancy.models import ApiKey, Role, Scope, User
from mlplatform.tenancy.scope import active_tenant


class Capability(StrEnum):
    """What can be allowed."""

    VIEW = "view"
    DATA = "data"
    TRAIN = "train"
    PREDICT = "predict"
    FEEDBACK = "feedback"
    DEPLOY = "deploy"
    MONITOR = "monitor"
    APPROVE = "approve"
    ADMIN = "admin"


_VIEWER = frozenset({Capability.VIEW})
_ANALYST = _VIEWER | {Capability.DATA, Capability.TRAIN, Capability.PREDICT}
_OPERATOR = _ANALYST | {Capability.FEEDBACK, Capability.DEPLOY, Capability.MONITOR}
_APPROVER = _OPERATOR | {Capability.APPROVE}

ROLE_CAPABILITIES: dict[str, frozenset[Capability]] = {
    Role.VIEWER: _VIEWER,
    Role.ANALYST: _ANALYST,
    Role.OPERATOR: _OPERATOR,
    Role.APPROVER: _APPROVER,
    Role.ADMIN: frozenset(Capability),
}

SCOPE_CAPABILITIES: dict[str, frozenset[Capability]] = {
    Scope.READ: frozenset({Capability.VIEW}),
    Scope.PREDICT: frozenset({Capability.PREDICT}),
    Scope.FEEDBACK: frozenset({Capability.FEEDBACK}),
    Scope.TRAIN: frozenset({Capability.DATA, Capability.TRAIN}),
    Scope.DEPLOY: frozenset({Capability.DEPLOY, Capability.MONITOR, Capability.APPROVE}),
    Scope.ADMIN: frozenset({Capability.ADMIN}),
}

# What adding, changing or deleting a row of this table in the console needs. Viewing needs VIEW,
# but for the tables named in ADMIN_ONLY. A table that is not named here is not open to tenants at all.
MODEL_CAPABILITIES: dict[str, Capability] = {
    "tenancy.membership": Capability.ADMIN,
    "tenancy.apikey": Capability.ADMIN,
    "tenancy.auditevent": Capability.ADMIN,
    "tenancy.audithead": Capability.ADMIN,
    "registry.dataset": Capability.DATA,
    "registry.registeredmodel": Capability.TRAIN,
    "registry.modelversion": Capability.TRAIN,
    "registry.alias": Capability.DEPLOY,
    "registry.deployment": Capability.DEPLOY,
    "registry.prediction": Capability.PREDICT,
    "training.trainingjob": Capability.TRAIN,
    "training.trial": Capability.TRAIN,
    "training.joblogline": Capability.TRAIN,
    "training.retrainingschedule": Capability.MONITOR,
    "feedback.outcome": Capability.FEEDBACK,
    "monitoring.alertrule": Capability.MONITOR,
    "monitoring.alert": Capability.MONITOR,
    "monitoring.driftresult": Capability.MONITOR,
    "monitoring.driftreport": Capability.MONITOR,
    "monitoring.performancesnapshot": Capability.MONITOR,
    "monitoring.retrainingpolicy": Capability.MONITOR,
    "monitoring.retrainingdecision": Capability.MONITOR,
}
ADMIN_ONLY = frozenset({"tenancy.membership", "tenancy.apikey", "tenancy.auditevent", "tenancy.audithead"})

Principal = User | ApiKey | AnonymousUser | None


def can(principal: Principal, capability: Capability) -> bool:
    """Tell whether the principal holds the capability in the active tenant."""
    return capability in capabilities_of(principal)


def demand(principal: Principal, capability: Capability, why: str) -> None:
    """Raise NotAllowed, with the sentence, where the principal lacks the capability."""
    if not can(principal, capability):
        raise NotAllowed(f"{why} Ask somebody with the right '{capability}'.", code="permission_denied")


def capabilities_of(principal: Principal) -> frozenset[Capability]:
    """Return what the principal may do in the active tenant; nothing where none is active."""
    tenant = active_tenant()
    if tenant is None or principal is None or isinstance(principal, AnonymousUser):
        return frozenset()
    if not principal.is_active:
        return frozenset()
    if isinstance(principal, ApiKey):
        if principal.tenant_id != tenant.pk:
            return frozenset()
        return frozenset().union(*(SCOPE_CAPABILITIES.get(scope, frozenset()) for scope in principal.scopes))
    if principal.is_superuser:
        return frozenset(Capability)
    return ROLE_CAPABILITIES.get(role_of(principal, tenant.pk) or "", frozenset())


def role_of(user: User, tenant_id: int) -> str | None:
    """Return the person's role in the tenant, or None; read afresh, so a removal counts at once."""
    return next((one.role for one in memberships_of(user) if one.tenant_id == tenant_id), None)


def needed_for(permission: str) -> Capability | None:
    """Return the capability behind a Django permission such as ``registry.change_dataset``.

    None means that no tenant role ever grants it.
    """
    app_label, _, codename = permission.partition(".")
    action, _, model = codename.partition("_")
    table = f"{app_label}.{model}"
    if table not in MODEL_CAPABILITIES:
        return None
    if action == "view" and table not in ADMIN_ONLY:
        return Capability.VIEW
    return MODEL_CAPABILITIES[table]
