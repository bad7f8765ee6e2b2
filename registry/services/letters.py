"""Letters to the people who decide."""

import logging
from collections.abc import Iterable
from smtplib import SMTPException

from django.core.mail import send_mail
from django.utils import timezone

from mlplatform.tenancy.models import Membership, TenantModel, User
from mlplatform.tenancy.permissions import Capability, can
from mlplatform.tenancy.scope import current_tenant, tenant_transaction
from registry.models import PromotionRequest
from registry.models.request import RequestState

logger = logging.getLogger(__name__)


def untold_requests() -> list[PromotionRequest]:
    """Return open requests of which no approver has been told."""
    with tenant_transaction():
        rows = PromotionRequest.objects.filter(state=RequestState.OPEN, told_at=None)
        return list(rows.select_related("model", "version__model"))


def approvers_of(request: PromotionRequest) -> list[User]:
    """Return the tenant's members who may approve it, but for whoever proposed it."""
    return [one for one in members_who_may(Capability.APPROVE, request) if one.email != request.hand]


def tell_approvers(*, request: PromotionRequest) -> int:
    """Write to each approver once; returns to how many. A later call tries again where the mail server fails.

    Everybody gets a letter of their own, so that no address is told to another.
    """
    with tenant_transaction():
        mine = PromotionRequest.objects.filter(pk=request.pk, state=RequestState.OPEN, told_at=None)
        if not mine.update(told_at=timezone.now()):
            return 0
    subject, text = _letter(request)
    told, all_taken = write_to(approvers_of(request), subject, text)
    if not told and not all_taken:  # who was told already is not told again
        with tenant_transaction():
            PromotionRequest.objects.filter(pk=request.pk).update(told_at=None)
    return told


def write_to(people: Iterable[User], subject: str, text: str) -> tuple[int, bool]:
    """Send each of them a letter; return to how many, and whether the mail server took them all."""
    told = 0
    for person in people:
        try:
            told += send_mail(subject, text, None, [person.email])
        except (SMTPException, OSError):
            logger.exception("The mail server took no letter: %s", subject)
            return told, False
    return told, True


def members_who_may(capability: Capability, row: TenantModel) -> list[User]:
    """Return the tenant's members with an address who hold the capability on the row's model."""
    with tenant_transaction():
        members = Membership.objects.filter(user__is_active=True).select_related("user").order_by("pk")
        people = [member.user for member in members]
        return [one for one in people if one.email and can(one, capability, row)]


def _letter(request: PromotionRequest) -> tuple[str, str]:
    failed = [gate["title"] for gate in request.gates if not gate["passed"]]
    verdict = f"It failed: {', '.join(failed)}." if failed else "It passed every gate."
    lines = [
        f"{request.requested_by} asks to make {request.version} the champion.",
        verdict,
        *([f"Comment: {request.comment}"] if request.comment else []),
        f"Decide before {request.expires_at:%Y-%m-%d %H:%M} UTC.",
        f"Console: Promotion requests. By program: POST /api/v1/promotion-requests/{request.pk}/approve",
        f"You get this letter as an approver of {current_tenant().name}.",
    ]
    return f"Approve {request.version}?", "\n\n".join(lines) + "\n"
