"""The one authentication backend: sign-in by e-mail, rights by role in the active tenant."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db.models import Model

from mlplatform.tenancy.models import TenantModel, User
from mlplatform.tenancy.permissions import MODEL_CAPABILITIES, can, needed_for
from mlplatform.tenancy.scope import active_tenant


class TenantBackend(ModelBackend):
    """Answers ``user.has_perm`` from the tenant role; Django's permission tables are not asked."""

    def has_perm(self, user_obj: Any, perm: str, obj: Model | None = None) -> bool:
        """Tell whether the person's role grants the permission, or a grant on the object's model."""
        if not isinstance(user_obj, User) or not user_obj.is_active:
            return False
        tenant = active_tenant()
        if isinstance(obj, TenantModel) and (tenant is None or obj.tenant_id != tenant.pk):
            return False
        capability = needed_for(perm)
        return capability is not None and can(user_obj, capability, obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Tell whether the person may see anything of the app."""
        return any(
            self.has_perm(user_obj, f"{app_label}.view_{table.partition('.')[2]}")
            for table in MODEL_CAPABILITIES
            if table.startswith(f"{app_label}.")
        )

    def get_all_permissions(self, user_obj: Any, obj: Model | None = None) -> set[str]:
        """Return every Django permission that the role grants."""
        names = (
            f"{table.partition('.')[0]}.{action}_{table.partition('.')[2]}"
            for table in MODEL_CAPABILITIES
            for action in ("view", "add", "change", "delete")
        )
        return {name for name in names if self.has_perm(user_obj, name, obj)}
