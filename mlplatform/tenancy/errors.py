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
    """Unknown scopes, no name, or an expiry in the past."""

    code = "invalid_api_key_request"


class KeyAlreadyRevoked(Conflict):
    """The key was revoked before."""

    code = "api_key_revoked"
