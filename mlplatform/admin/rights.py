"""Rights of the console's pages, all answered by the one permission backend."""

from typing import Any

from django.http import HttpRequest

from mlplatform.tenancy.permissions import Capability, can


class CapabilityRights:
    """Rows are history unless a class says ``can_add``: nobody edits or deletes them through a form.

    ``has_<capability>_permission`` lets a list action name what it needs.
    """

    can_add = False
    opts: Any

    def may(self, request: HttpRequest, capability: Capability) -> bool:
        """Tell whether the person holds the capability in the active tenant."""
        return can(request.user, capability)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Tell whether the person may add rows here."""
        return self.can_add and self._has(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: changes are commands."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: removals are commands."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether the person may see the rows."""
        return self._has(request, "view")

    def has_data_permission(self, request: HttpRequest) -> bool:
        """Tell whether the person may import data."""
        return self.may(request, Capability.DATA)

    def has_train_permission(self, request: HttpRequest) -> bool:
        """Tell whether the person may train."""
        return self.may(request, Capability.TRAIN)

    def has_deploy_permission(self, request: HttpRequest) -> bool:
        """Tell whether the person may change what runs."""
        return self.may(request, Capability.DEPLOY)

    def has_monitor_permission(self, request: HttpRequest) -> bool:
        """Tell whether the person may handle alerts and schedules."""
        return self.may(request, Capability.MONITOR)

    def has_admin_permission(self, request: HttpRequest) -> bool:
        """Tell whether the person may manage members and keys."""
        return self.may(request, Capability.ADMIN)

    def _has(self, request: HttpRequest, action: str) -> bool:
        name = f"{self.opts.app_label}.{action}_{self.opts.model_name}"
        return request.user.has_perm(name)


class OwnerRights(CapabilityRights):
    """Rights of what belongs to the whole installation: superusers, and nobody else."""

    def may(self, request: HttpRequest, capability: Capability) -> bool:
        """Tell whether the person runs the installation."""
        return bool(request.user.is_active and request.user.is_superuser)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Tell whether the person runs the installation."""
        return self.may(request, Capability.ADMIN)

    def _has(self, request: HttpRequest, action: str) -> bool:
        return self.may(request, Capability.ADMIN)
