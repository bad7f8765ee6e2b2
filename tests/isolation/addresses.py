"""Every address that the resolver knows, filled with rows of ours or of theirs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth.tokens import default_token_generator
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from mlplatform.addresses import is_for_programs
from mlplatform.tenancy.models import Membership, TenantModel
from tests.isolation.worlds import World

API = "api/v1/"
GROUP = re.compile(r"\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>")
# What stands for the same in both tenants.
FIXED = {
    "number": 1,
    "version": 1,
    "alias": "challenger",
    "app_label": "registry",
    "url": "registry",
    "provider_id": "unknown",
}
# Other protocols' addresses, whose names are those of models.
OF_MODELS = ("v2", "mlflow")
EVERY_METHOD = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Address:
    """One address: its path with ``{name}`` for what varies, its name, its view."""

    path: str
    name: str
    view: Any

    @property
    def of_api(self) -> bool:
        """Whether programs call it: it belongs to the REST API or to the Open Inference Protocol."""
        return is_for_programs(f"/{self.path}")

    @property
    def parameters(self) -> list[str]:
        """The names of what varies."""
        return re.findall(r"\{(\w+)\}", self.path)

    @property
    def names_a_row(self) -> bool:
        """Whether the address is another one for theirs than for ours."""
        return not set(self.parameters) <= set(FIXED)

    def actions(self) -> dict[str, str]:
        """Return the name of what a view of the API does, by method; empty elsewhere."""
        view: Any = getattr(self.view, "cls", None)
        if view is None:
            return {}
        found: dict[str, str] = getattr(self.view, "actions", None) or {
            method: method for method in METHODS if hasattr(view, method)
        }
        return {method: action for method, action in found.items() if method != "head"}

    def other_methods(self) -> list[str]:
        """Return the methods that the address has no use for, HEAD and an overridden POST among them."""
        used = {method.upper() for method in self.actions()} or {"GET", "POST"}
        return [method for method in EVERY_METHOD if method not in used]

    def model(self) -> Any:
        """Return the table whose row the address names, or None."""
        if hasattr(self.view, "model_admin"):
            return self.view.model_admin.model
        if not self.of_api:
            return None
        first = self.path.removeprefix(API).partition("/")[0]
        return listed().get("models" if first in OF_MODELS else first)

    def at(self, world: World, *, theirs: bool = False) -> str:
        """Return the address of the newest row that fits, ours or theirs."""
        path = self.path
        for name in self.parameters:
            path = path.replace(f"{{{name}}}", str(self._value(name, world, theirs=theirs)))
        return f"/{path}"

    def _value(self, name: str, world: World, *, theirs: bool) -> Any:
        if name in FIXED:
            return FIXED[name]
        if name in {"uidb64", "token"}:
            user = world.row(Membership, theirs=theirs).user
            made = {"uidb64": urlsafe_base64_encode(force_bytes(user.pk))}
            return made.get(name) or default_token_generator.make_token(user)[:-1]
        model = self.model()
        if isinstance(model, type) and issubclass(model, TenantModel):
            row = world.row(model, theirs=theirs)
            return getattr(row, name) if name == "name" else row.pk
        if model is not None:  # tenants and people, the superuser's own pages
            tenant = world.theirs if theirs else world.ours
            return tenant.pk if isinstance(tenant, model) else world.row(Membership, theirs=theirs).user_id
        if "passkeys" in self.path:
            return Authenticator.objects.get(user=world.row(Membership, theirs=theirs).user_id).pk
        raise AssertionError(f"Tell tests/isolation/addresses.py what {{{name}}} of {self.path} is.")


def patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Yield each pattern with its whole path."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern, prefix + str(pattern.pattern))
        else:
            yield prefix + str(pattern.pattern), pattern


def addresses() -> list[Address]:
    """Return every address of the present URL configuration."""
    return [
        Address(
            re.sub(r"\\Z|[\^$?]|\\", "", GROUP.sub(lambda found: f"{{{found[1] or found[2]}}}", raw)),
            pattern.name or "",
            pattern.callback,
        )
        for raw, pattern in patterns(get_resolver())
    ]


@cache
def listed() -> dict[str, Any]:
    """Return the table behind each list of the API, by the first part of its path."""
    found: dict[str, Any] = {}
    for address in addresses():
        queryset = getattr(getattr(address.view, "cls", None), "queryset", None)
        if address.of_api and queryset is not None:
            found.setdefault(address.path.removeprefix(API).partition("/")[0], queryset.model)
    return found
