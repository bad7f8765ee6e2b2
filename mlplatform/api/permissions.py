"""Rights of the API: each view states the capability that each of its actions needs."""

from typing import TYPE_CHECKING, Any

from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from mlplatform.api.authentication import asking
from mlplatform.identity.errors import ReauthenticationNeeded, SecondFactorNeeded
from mlplatform.identity.proofs import proved_recently
from mlplatform.tenancy.models import User
from mlplatform.tenancy.permissions import Capability, can, can_somewhere
from mlplatform.tenancy.scope import active_tenant
from mlplatform.tenancy.selection import demanding_tenant

if TYPE_CHECKING:  # DRF loads this class before its own views exist
    from rest_framework.views import APIView


STALE = "You proved who you are too long ago for this. Confirm it at /account/confirm/, then send it again."


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
        return super().has_permission(request, view) and _works_for_a_tenant(request)


class RequiresCapability(BasePermission):
    """Asks for ``view.capabilities[action]``; a view that states none is open to nobody.

    Keys are the action's name of a viewset, or the lower-case method of a plain view. Those that
    ``view.reauthenticate`` names ask a person for a recent proof as well; an API key is its own proof.

    A view that says ``of_a_model`` also lets those in who hold the capability on one model alone, and asks
    again once it knows which model the request is about: by ``get_object``, or by ``permitted``.
    """

    message = "Your role or API key does not allow this. Ask an admin of your tenant."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Tell whether the principal holds the stated capability in the active tenant."""
        principal = asking(request)
        if principal is None or not _works_for_a_tenant(request):
            return False
        method = (request.method or "GET").lower()
        if method not in view.http_method_names or not hasattr(view, method):
            raise MethodNotAllowed(method.upper())
        capability = stated_capability(view, request.method or "GET")
        enough = can_somewhere if getattr(view, "of_a_model", False) else can
        if capability is None or not enough(principal, capability):
            return False
        if isinstance(principal, User) and asks_for_proof(view, method) and not proved_recently(request):
            raise ReauthenticationNeeded(STALE)
        return True

    def has_object_permission(self, request: Request, view: "APIView", obj: Any) -> bool:
        """Tell whether the principal holds the stated capability on the object's model."""
        capability = stated_capability(view, request.method or "GET")
        return capability is not None and can(asking(request), capability, obj)


def _works_for_a_tenant(request: Request) -> bool:
    demanding = demanding_tenant(request._request)
    if demanding is not None:
        raise SecondFactorNeeded(
            f"{demanding.name} asks for a second factor. Set one up at /account/security/, then try again."
        )
    return active_tenant() is not None


def asks_for_proof(view: Any, method: str) -> bool:
    """Tell whether a person must have proved who they are a short while ago; each deletion asks for it."""
    action = getattr(view, "action", None) or method
    return method == "delete" or action in getattr(view, "reauthenticate", ())


def stated_capability(view: Any, method: str) -> Capability | None:
    """Return what the view demands for this method, or None where it says nothing."""
    table: dict[str, Capability] = getattr(view, "capabilities", {})
    action = getattr(view, "action", None)
    if method in {"HEAD", "OPTIONS"} and action in {None, "metadata"}:
        return Capability.VIEW
    return table.get(action) if action else table.get(method.lower())
