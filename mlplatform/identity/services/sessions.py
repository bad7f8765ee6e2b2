"""Ending an account's sessions, wherever they are."""

from django.db import transaction
from django.db.models import F

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import User
from mlplatform.tenancy.services.sign_ins import record_of_account


def end_sessions(*, user: User, by: Actor) -> None:
    """End every session of the account at once; Django's ``update_session_auth_hash`` keeps one alive."""
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(session_round=F("session_round") + 1)
        user.refresh_from_db(fields=["session_round"])
        record_of_account(user=user, action="account.sessions_ended", by=by)
