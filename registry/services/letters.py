"""Letters to the people who decide."""

import logging
from smtplib import SMTPException

from django.core.mail import send_mail
from django.utils import timezone

from mlplatform.tenancy.models import Membership, User
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
    with tenant_transaction():
        members = Membership.objects.filter(user__is_active=True).select_related("user").order_by("pk")
        people = [member.user for member in members]
        return [
            one
            for one in people
            if one.email != request.hand and can(one, Capability.APPROVE, request) and one.email
        ]


def tell_approvers(*, request: PromotionRequest) -> int:
    """Write to each approver once; returns to how many. A later call tries again where the mail server fails.

    Everybody gets a letter of their own, so that no address is told to another.
    """
    with tenant_transaction():
        mine = PromotionRequest.objects.filter(pk=request.pk, state=RequestState.OPEN, told_at=None)
        if not mine.update(told_at=timezone.now()):
            return 0
    subject, text = _letter(request)
    told = 0
    for person in approvers_of(request):
        try:
            told += send_mail(subject, text, None, [person.email])
        except (SMTPException, OSError):
            logger.exception("The mail server took no letter about request %s.", request.pk)
            with tenant_transaction():
                if not told:  # who was told already is not told again
                    PromotionRequest.objects.filter(pk=request.pk).update(told_at=None)
            return told
    return told


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
