"""What can go wrong with tenants, members and keys."""

from mlplatform.errors import Conflict, InvalidInput, NotFound


class TenantNotFound(NotFound):
    """No tenant of this name."""

    code = "tenant_not_found"


class TenantExists(Conflict):
    """The short name is taken."""

    code = "tenant_exists"


class AlreadyMember(Conflict):
    """The person is a member already."""

    code = "already_member"


class LastAdmin(Conflict):
    """A tenant keeps at least one admin."""

    code = "last_admin"


class InvalidKeyRequest(InvalidInput):
    """Unknown scopes or models, no name, or an expiry in the past."""

    code = "invalid_api_key_request"


class NoRoom(Conflict):
    """The tenant has stored as much as it may; waiting does not help, so it is not 429."""

    code = "limit_reached"
    title = "Limit reached"


class KeyAlreadyRevoked(Conflict):
    """The key was revoked before, or has expired."""

    code = "api_key_revoked"


class KeyAlreadyRotated(Conflict):
    """The key has a successor."""

    code = "api_key_rotated"


class KeyNotFound(NotFound):
    """No key with this public part."""

    code = "api_key_not_found"


class TeamExists(Conflict):
    """The team's name is taken."""

    code = "team_exists"


class TeamNotFound(NotFound):
    """No team of this name."""

    code = "team_not_found"


class GrantNotFound(NotFound):
    """No such right on this model."""

    code = "grant_not_found"


class InvalidGrant(InvalidInput):
    """A right that cannot be given."""

    code = "invalid_grant"
