"""Rights of the API: each view states the capability that each of its actions needs."""

from typing import TYPE_CHECKING, Any

from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from mlplatform.api.authentication import asking
from mlplatform.tenancy.permissions import Capability, can
from mlplatform.tenancy.scope import active_tenant

if TYPE_CHECKING:  # DRF loads this class before its own views exist
    from rest_framework.views import APIView


class SignedIn(BasePermission):
    """Anyone who is signed in, whatever the role."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Tell whether there is a principal."""
        return asking(request) is not None


class InTenant(SignedIn):
    """Anyone who is signed in and works for a tenant."""

    message = "You work for no tenant. Choose one in the console, or ask its admin to invite you."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Tell whether there is a principal with a tenant."""
        return super().has_permission(request, view) and active_tenant() is not None


class RequiresCapability(BasePermission):
    """Asks for ``view.capabilities[action]``; a view that states none is open to nobody.

    Keys are the action's name of a viewset, or the lower-case method of a plain view.
    """

    message = "Your role or API key does not allow this. Ask an admin of your tenant."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Tell whether the principal holds the stated capability in the active tenant."""
        principal = asking(request)
        if principal is None or active_tenant() is None:
            return False
        method = (request.method or "GET").lower()
        if method not in view.http_method_names or not hasattr(view, method):
            raise MethodNotAllowed(method.upper())
        capability = stated_capability(view, request.method or "GET")
        return capability is not None and can(principal, capability)


def stated_capability(view: Any, method: str) -> Capability | None:
    """Return what the view demands for this method, or None where it says nothing."""
    table: dict[str, Capability] = getattr(view, "capabilities", {})
    action = getattr(view, "action", None)
    if method in {"HEAD", "OPTIONS"} and action in {None, "metadata"}:
        return Capability.VIEW
    return table.get(action) if action else table.get(method.lower())
