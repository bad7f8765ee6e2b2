"""What belongs to an account's second factors, and taking them away for somebody who lost them."""

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.db import transaction

from mlplatform.errors import Conflict
from mlplatform.identity.services.sessions import end_sessions
from mlplatform.sealing.texts import VERSION
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import User
from mlplatform.tenancy.services.sign_ins import record_of_account
from mlplatform.vault import is_current


def factors_of(user: User) -> dict[str, Any]:
    """Return what the account has, for people and the audit trail: no secret is in it."""
    rows = list(Authenticator.objects.filter(user=user).order_by("pk"))
    kinds = Authenticator.Type
    made = {row.type: row.created_at for row in rows if row.type != kinds.WEBAUTHN}
    return {
        "authenticator_app": made.get(kinds.TOTP),
        "passkeys": [row.wrap().name for row in rows if row.type == kinds.WEBAUTHN],
        "recovery_made": made.get(kinds.RECOVERY_CODES),
    }


def record_change(*, user: User, before: dict[str, Any], by: Actor) -> bool:
    """Record what changed since ``before``, in each tenant of the account; tell whether anything did."""
    after = factors_of(user)
    if after == before:
        return False
    record_of_account(user=user, action="account.second_factors_changed", by=by, before=before, after=after)
    return True


def remove_second_factors(*, user: User, by: Actor) -> None:
    """Take all second factors from an account whose owner lost them, and end its sessions.

    Raises Conflict where it has none.
    """
    with transaction.atomic():
        before = factors_of(user)
        if not Authenticator.objects.filter(user=user).delete()[0]:
            raise Conflict(f"{user.email} has no second factor.")
        record_change(user=user, before=before, by=by)
        end_sessions(user=user, by=by)


def reseal_second_factors(*, dry_run: bool = False) -> int:
    """Seal the secrets of accounts under the current master key where an earlier one did; return how many."""
    count = 0
    for pk in Authenticator.objects.values_list("pk", flat=True):
        with transaction.atomic():
            row = Authenticator.objects.select_for_update().get(pk=pk)
            renewed = {name: _renewed(value) for name, value in row.data.items()}
            changed = renewed != row.data
            count += changed
            if changed and not dry_run:
                row.data = renewed
                row.save(update_fields=["data"])
    return count


def _renewed(value: Any) -> Any:
    if isinstance(value, list):
        return [_renewed(item) for item in value]
    if not isinstance(value, str) or not value.startswith(f"{VERSION}.") or is_current(value):
        return value
    return get_adapter().encrypt(get_adapter().decrypt(value))
