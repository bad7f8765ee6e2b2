"""Letting somebody in again who was locked out."""

from django.db import transaction

from mlplatform.errors import Conflict, NotFound
from mlplatform.identity.lockout import forget_failures, locked_addresses
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import User
from mlplatform.tenancy.services.sign_ins import record_of_account


def find_account(email: str) -> User:
    """Return the account with this address, whatever its letter case; raises NotFound."""
    try:
        return User.objects.get_by_natural_key(email)
    except User.DoesNotExist as error:
        raise NotFound(f"There is no account {email!r}.") from error


def unlock_account(*, user: User, by: Actor) -> list[str]:
    """Lift the account's locks and return the addresses that were locked; raises Conflict where none was."""
    with transaction.atomic():
        locked = locked_addresses(user)
        if not locked:
            raise Conflict(f"{user.email} is not locked.")
        forget_failures(user)
        record_of_account(user=user, action="account.unlocked", by=by, addresses=locked)
    return locked
