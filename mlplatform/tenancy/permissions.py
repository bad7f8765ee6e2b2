"""Who may do what: one table for roles, one for key scopes, one for the console's models.

Admin, API and commands all ask ``can``. The rules for one model: a person's own grant, else the widest grant
of the person's teams, else the role in the tenant.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, Q, QuerySet

from mlplatform.errors import NotAllowed
from mlplatform.tenancy.lookups import memberships_of
from mlplatform.tenancy.models import ApiKey, Grant, Role, Scope, TenantModel, User
from mlplatform.tenancy.models.team import NO_ACCESS
from mlplatform.tenancy.scope import Sight, active_tenant, current_tenant, tenant_scope


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
    "tenancy.team": Capability.ADMIN,
    "tenancy.teammember": Capability.ADMIN,
    "tenancy.grant": Capability.ADMIN,
    "tenancy.auditevent": Capability.ADMIN,
    "tenancy.datakey": Capability.ADMIN,
    "tenancy.audithead": Capability.ADMIN,
    "tenancy.usage": Capability.ADMIN,
    "tenancy.requestcount": Capability.ADMIN,
    "registry.dataset": Capability.DATA,
    "registry.registeredmodel": Capability.TRAIN,
    "registry.modelversion": Capability.TRAIN,
    "registry.alias": Capability.DEPLOY,
    "registry.deployment": Capability.DEPLOY,
    "registry.promotionrequest": Capability.TRAIN,
    "registry.rollout": Capability.DEPLOY,
    "registry.prediction": Capability.PREDICT,
    "registry.shadowanswer": Capability.PREDICT,
    "registry.shadowtally": Capability.PREDICT,
    "registry.keptanswer": Capability.PREDICT,
    "registry.requesttally": Capability.PREDICT,
    "training.datasource": Capability.DATA,
    "training.trainingjob": Capability.TRAIN,
    "training.batchjob": Capability.PREDICT,
    "training.batchpart": Capability.PREDICT,
    "training.trial": Capability.TRAIN,
    "training.searchhelper": Capability.TRAIN,
    "training.joblogline": Capability.TRAIN,
    "training.retrainingschedule": Capability.MONITOR,
    "feedback.outcome": Capability.FEEDBACK,
    "feedback.heldoutcome": Capability.FEEDBACK,
    "feedback.historyimport": Capability.FEEDBACK,
    "feedback.rating": Capability.FEEDBACK,
    "feedback.labelitem": Capability.FEEDBACK,
    "feedback.label": Capability.FEEDBACK,
    "feedback.labeltally": Capability.FEEDBACK,
    "feedback.quarantine": Capability.APPROVE,
    "feedback.feedbacksettings": Capability.APPROVE,
    "feedback.subjecterasure": Capability.ADMIN,
    "monitoring.alertrule": Capability.MONITOR,
    "monitoring.alert": Capability.MONITOR,
    "monitoring.channel": Capability.ADMIN,
    "monitoring.delivery": Capability.ADMIN,
    "monitoring.driftresult": Capability.MONITOR,
    "monitoring.driftreport": Capability.MONITOR,
    "monitoring.driftsettings": Capability.MONITOR,
    "monitoring.errorstream": Capability.MONITOR,
    "monitoring.rollup": Capability.MONITOR,
    "monitoring.performancesnapshot": Capability.MONITOR,
    "monitoring.modelhealth": Capability.MONITOR,
    "monitoring.retrainingpolicy": Capability.MONITOR,
    "monitoring.retrainingdecision": Capability.MONITOR,
    "monitoring.reportschedule": Capability.ADMIN,
}
ADMIN_ONLY = frozenset(
    {
        *(table for table in MODEL_CAPABILITIES if table.startswith("tenancy.")),
        *(
            "feedback.subjecterasure",
            "monitoring.channel",
            "monitoring.delivery",
            "monitoring.reportschedule",
        ),
    }
)

# From the narrowest to the widest, for where several teams' rights on one model meet.
GRANT_CAPABILITIES: dict[str, frozenset[Capability]] = {
    NO_ACCESS: frozenset(),
    **{role: ROLE_CAPABILITIES[role] for role in Role.values if role != Role.ADMIN},
}
_WIDTH = {role: width for width, role in enumerate(GRANT_CAPABILITIES)}

Principal = User | ApiKey | AnonymousUser | None


@dataclass(frozen=True)
class Rights:
    """What somebody may do in the active tenant: ``capabilities``, but for the models in ``exceptions``.

    ``only`` names the models that there are at all; None for all.
    """

    capabilities: frozenset[Capability] = frozenset()
    exceptions: Mapping[str, frozenset[Capability]] = field(default_factory=dict)
    only: frozenset[str] | None = None

    @property
    def sight(self) -> Sight:
        """The models that are there for the holder: those that may be viewed, or only asked."""
        return Sight(self.only, frozenset(name for name, held in self.exceptions.items() if not held))

    def on(self, model_name: str) -> frozenset[Capability]:
        """Return what may be done on the model of this name."""
        if not self.sight.sees(model_name):
            return frozenset()
        return self.exceptions.get(model_name, self.capabilities)


def can(principal: Principal, capability: Capability, row: Model | None = None) -> bool:
    """Tell whether the principal holds the capability in the active tenant, or on the model of the row.

    A row that belongs to no model, such as a member, is judged like the tenant.
    """
    rights = rights_of(principal)
    model = row.registered_model() if isinstance(row, TenantModel) else None
    return capability in (rights.capabilities if model is None else rights.on(model.name))


def can_somewhere(principal: Principal, capability: Capability) -> bool:
    """Tell whether the principal holds the capability in the tenant, or on one of its models at least."""
    rights = rights_of(principal)
    return any(capability in held for held in (rights.capabilities, *rights.exceptions.values()))


def demand(principal: Principal, capability: Capability, why: str, row: Model | None = None) -> None:
    """Raise NotAllowed, with the sentence, where the principal lacks the capability (on the row's model)."""
    if not can(principal, capability, row):
        raise NotAllowed(f"{why} Ask somebody with the right '{capability}'.", code="permission_denied")


def allowed_models(principal: Principal, capability: Capability) -> QuerySet[Any]:
    """Return the registered models in sight on which the principal holds the capability."""
    rights, models = rights_of(principal), Grant.models_of_tenant()
    differing = [
        name
        for name, held in rights.exceptions.items()
        if (capability in held) != (capability in rights.capabilities)
    ]
    if capability in rights.capabilities:
        return models.exclude(name__in=differing)
    return models.filter(name__in=differing)


def capabilities_of(principal: Principal) -> frozenset[Capability]:
    """Return what the principal may do in the active tenant, whatever its models' exceptions."""
    return rights_of(principal).capabilities


def rights_of(principal: Principal) -> Rights:
    """Return the principal's rights in the active tenant; none where no tenant is active.

    They are read afresh, so that a change counts at once, unless ``hold_rights`` has read them for a request.
    """
    tenant = active_tenant()
    if tenant is None or principal is None or isinstance(principal, AnonymousUser) or not principal.is_active:
        return Rights()
    if isinstance(principal, ApiKey):
        return _rights_of_key(principal) if principal.tenant_id == tenant.pk else Rights()
    held: dict[int, Rights] = getattr(principal, "_held_rights", {})
    return held[tenant.pk] if tenant.pk in held else _rights_of_person(principal, tenant.pk)


def hold_rights(principal: Principal) -> Rights:
    """Return the principal's rights and keep them with the object, which lives for one request."""
    rights, tenant = rights_of(principal), active_tenant()
    if isinstance(principal, User) and tenant is not None:
        principal._held_rights = {tenant.pk: rights}  # type: ignore[attr-defined]  # read by rights_of
    return rights


def role_of(user: User, tenant_id: int) -> str | None:
    """Return the person's role in the tenant, or None; read afresh, so a removal counts at once."""
    return next((one.role for one in memberships_of(user) if one.tenant_id == tenant_id), None)


def _rights_of_key(key: ApiKey) -> Rights:
    capabilities = frozenset().union(*(SCOPE_CAPABILITIES.get(scope, frozenset()) for scope in key.scopes))
    return Rights(capabilities, only=frozenset(key.model_names) or None)


def _rights_of_person(user: User, tenant_id: int) -> Rights:
    role = Role.ADMIN if user.is_superuser else role_of(user, tenant_id)
    capabilities = ROLE_CAPABILITIES.get(role or "", frozenset())
    # Admins manage the grants themselves: what they gave themselves or took would say nothing.
    exceptions = {} if role in {None, Role.ADMIN} else _granted(user)
    return Rights(capabilities, {name: GRANT_CAPABILITIES[one] for name, one in exceptions.items()})


def _granted(user: User) -> dict[str, str]:
    """Return the person's role by model: the person's own grant, else the widest of the person's teams."""
    found: dict[str, str] = {}
    own: dict[str, str] = {}
    with tenant_scope(current_tenant()):  # whoever asks, and whatever they may see
        grants = Grant.objects.filter(Q(membership__user=user) | Q(team__members__user=user))
        rows: list[Any] = list(grants.values_list("model__name", "role", "membership"))
    for model, role, membership in rows:
        if membership is not None:
            own[model] = role
        elif _WIDTH[role] >= _WIDTH[found.get(model, NO_ACCESS)]:
            found[model] = role
    return found | own


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
