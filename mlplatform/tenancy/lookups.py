"""The two things that are read before a tenant is known: whose key this is, and where a person is a member.

On PostgreSQL, where no row is seen without a tenant, two functions of the database answer, each for one
value that the asker must know already.
"""

from django.db import connection

from mlplatform.tenancy.models import ApiKey, Membership, User


def keys_with_prefix(prefix: str) -> list[ApiKey]:
    """Return the keys, of whichever tenant, whose public part this is."""
    if connection.vendor == "postgresql":
        found = ApiKey.all_tenants.raw("SELECT * FROM key_lookup(%s)", [prefix])
        return list(found.prefetch_related("tenant"))
    return list(ApiKey.all_tenants.filter(prefix=prefix).select_related("tenant"))


def memberships_of(user: User) -> list[Membership]:
    """Return the person's memberships in all tenants, those that are switched off included."""
    if connection.vendor == "postgresql":
        return list(Membership.all_tenants.raw("SELECT * FROM memberships_of(%s)", [user.pk]))
    return list(Membership.all_tenants.filter(user=user))
