"""Promotion requests from the command line."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.errors import InvalidInput
from mlplatform.management.base import TenantCommand
from registry.models import PromotionRequest
from registry.services import requests
from registry.services.models import find_model
from registry.services.versions import find_version
from registry.tasks import submit_proposal


class Command(TenantCommand):
    """Lists, makes and decides promotion requests."""

    help = "List the promotion requests that wait; propose a version, approve, reject, withdraw, comment."
    example = "python manage.py promotion_requests --tenant clinic --model diagnosis --propose 2"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add what to do, and why."""
        parser.add_argument("--model", metavar="NAME", help="The model of the version to propose.")
        doing = parser.add_mutually_exclusive_group()
        doing.add_argument("--propose", type=int, metavar="NUMBER", help="Propose this version.")
        for word in ("approve", "reject", "withdraw", "remark", "show"):
            doing.add_argument(f"--{word}", type=int, metavar="ID", help=f"{word.capitalize()} this request.")
        doing.add_argument("--all", action="store_true", help="List those that are closed as well.")
        parser.add_argument("--comment", default="", help="What to say with it.")
        parser.add_argument("--reason", default="", help="Why; needed to reject.")
        parser.add_argument("--override", action="store_true", help="Pass over failed gates; needs a reason.")

    def run_for_tenant(self, **options: Any) -> Any:
        """Do what was asked for, and return the request, or the list."""
        if options["propose"] is not None:
            if not options["model"]:
                raise InvalidInput("Say with --model of which model.")
            model = find_model(options["model"])
            version = find_version(model, options["propose"])
            made = submit_proposal(model=model, version=version, by=self.actor, comment=options["comment"])
            return _told(requests.find_request(made.pk))
        for word in ("approve", "reject", "withdraw", "remark", "show"):
            if options[word] is not None:
                return self._decided(word, options)
        found = requests.requests_overview() if options["all"] else requests.open_requests()
        return [_line(one) for one in found[:200]]

    def _decided(self, word: str, options: dict[str, Any]) -> dict[str, Any]:
        request, by, reason = requests.find_request(options[word]), self.actor, options["reason"]
        match word:
            case "approve":
                requests.approve(request=request, by=by, reason=reason, override=options["override"])
            case "reject":
                requests.reject(request=request, by=by, reason=reason)
            case "withdraw":
                requests.withdraw(request=request, by=by, reason=reason)
            case "remark":
                requests.comment_on(request=request, by=by, text=options["comment"])
        return _told(requests.find_request(request.pk))


def _line(request: PromotionRequest) -> dict[str, Any]:
    return {
        "id": request.pk,
        "version": str(request.version),
        "state": request.state,
        "by": request.requested_by,
        "comment": request.comment,
        "expires": request.expires_at,
    }


def _told(request: PromotionRequest) -> dict[str, Any]:
    decided = {"decided_by": request.decided_by, "decision": request.decision}
    return {
        **_line(request),
        **decided,
        "gates": {gate["title"]: gate["detail"] for gate in request.gates},
        "comments": [f"{one['by']}: {one['text']}" for one in request.comments],
    }
