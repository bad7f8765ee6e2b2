"""Tenants that demand a second factor, and whoever has none yet."""

from allauth.mfa.models import Authenticator

from mlplatform.tenancy.models import Tenant, User

COUNTING = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)  # recovery codes alone do not


def lacks_second_factor(user: User, tenant: Tenant) -> bool:
    """Tell whether the tenant demands a second factor that the person has not set up.

    A session that was opened before the factor was set up ends then, so having one is having used it.
    """
    counting = Authenticator.objects.filter(user=user, type__in=COUNTING)
    return tenant.require_second_factor and not counting.exists()
