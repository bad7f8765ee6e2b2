"""What a provider says about a person, and the roles that follow from it. Pure: no database is asked."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from mlplatform.tenancy.models import Role

RANK = {role: number for number, role in enumerate(Role.values)}


class Mapped(Protocol):
    """One row that says which claim gives which role in which tenant."""

    @property
    def claim(self) -> str:
        """The claim's name."""

    @property
    def value(self) -> str:
        """What it must be or hold."""

    @property
    def tenant_id(self) -> int:
        """Where it gives a role."""

    @property
    def role(self) -> str:
        """Which."""


def claims_of(extra_data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims as one mapping: those of the user-info endpoint go before the ID token's."""
    return {**(extra_data.get("id_token") or {}), **(extra_data.get("userinfo") or {})}


def values_of(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    """Return the values of a claim as texts; a name such as ``realm_access.roles`` leads into an object."""
    found: Any = claims.get(name)
    if found is None:
        found = claims
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    return frozenset(_texts(found))


def roles_given(claims: Mapping[str, Any], mappings: Iterable[Mapped]) -> dict[int, str]:
    """Return the role in each tenant (by key) that the claims give; where several match, the highest."""
    given: dict[int, str] = {}
    for row in mappings:
        if row.value in values_of(claims, row.claim):
            present = given.get(row.tenant_id, row.role)
            given[row.tenant_id] = max(present, row.role, key=RANK.__getitem__)
    return given


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, bool):
        yield "true" if value else "false"
    elif isinstance(value, str | int):
        yield str(value)
