"""Rights of the console's pages, all answered by the one permission backend."""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest

from mlplatform.tenancy.permissions import Capability, can, can_somewhere, needed_for


class CapabilityRights:
    """Rows are history unless a class says ``can_add``: nobody edits or deletes them through a form.

    ``of_a_model`` opens the list's own pages and actions to whoever may use them for one model at least; they
    then offer, and accept, those models alone. ``has_<capability>_permission`` lets a list action name what
    it needs.
    """

    can_add = False
    of_a_model = False
    opts: Any

    def may(self, request: HttpRequest, capability: Capability, row: Model | None = None) -> bool:
        """Tell whether the person holds the capability, on the row's model where one is given."""
        return can(request.user, capability, row)

    def may_begin(self, request: HttpRequest, capability: Capability) -> bool:
        """Tell whether the person may open what the list offers."""
        return can_somewhere(request.user, capability) if self.of_a_model else self.may(request, capability)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Tell whether the person may add rows here."""
        if not (self.can_add and self.of_a_model):
            return self.can_add and self._has(request, "add")
        needed = needed_for(f"{self.opts.app_label}.add_{self.opts.model_name}")
        return needed is not None and self.may_begin(request, needed)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: changes are commands."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: removals are commands."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether the person may see the rows, or this one."""
        return self._has(request, "view", obj)

    def has_data_permission(self, request: HttpRequest) -> bool:
        """Tell whether the person may import data."""
        return self.may_begin(request, Capability.DATA)

    def has_train_permission(self, request: HttpRequest) -> bool:
        """Tell whether the person may train."""
        return self.may_begin(request, Capability.TRAIN)

    def has_deploy_permission(self, request: HttpRequest) -> bool:
        """Tell whether the person may change what runs."""
        return self.may_begin(request, Capability.DEPLOY)

    def has_monitor_permission(self, request: HttpRequest) -> bool:
        """Tell whether the person may handle alerts and schedules."""
        return self.may_begin(request, Capability.MONITOR)

    def has_admin_permission(self, request: HttpRequest) -> bool:
        """Tell whether the person may manage members and keys."""
        return self.may_begin(request, Capability.ADMIN)

    def _has(self, request: HttpRequest, action: str, row: Model | None = None) -> bool:
        name = f"{self.opts.app_label}.{action}_{self.opts.model_name}"
        return request.user.has_perm(name, row)


class OwnerRights(CapabilityRights):
    """Rights of what belongs to the whole installation: superusers, and nobody else."""

    def may(self, request: HttpRequest, capability: Capability, row: Model | None = None) -> bool:
        """Tell whether the person runs the installation."""
        return bool(request.user.is_active and request.user.is_superuser)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Tell whether the person runs the installation."""
        return self.may(request, Capability.ADMIN)

    def _has(self, request: HttpRequest, action: str, row: Model | None = None) -> bool:
        return self.may(request, Capability.ADMIN)
