"""Promotion requests: proposing, discussing, deciding, and what ends one by itself."""

from datetime import timedelta

from django.db import IntegrityError
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from mlplatform.errors import NotAllowed
from mlplatform.tenancy.actors import Actor, ActorKind
from mlplatform.tenancy.models import ApiKey
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from registry.errors import ReasonMissing, RequestClosed, RequestNotFound, RequestOpen
from registry.models import Alias, Deployment, ModelVersion, PromotionRequest, RegisteredModel
from registry.models.deployment import CHAMPION
from registry.models.request import RequestState
from registry.models.version import VersionStatus
from registry.services.listings import HEAVY_VERSION_COLUMNS
from registry.services.promotion import Examined, demand_passed, examine, move_champion

LONGEST_TEXT, MOST_COMMENTS = 1000, 200


def propose(
    *, model: RegisteredModel, version: ModelVersion, by: Actor, comment: str = ""
) -> PromotionRequest:
    """Ask the approvers to make ``version`` the champion; the gates are run first, and their verdicts kept.

    A version that fails a gate may be proposed: an approver sees it and decides.

    Raises VersionOfAnotherModel, VersionNotReady, AlreadyChampion, RequestOpen.
    """
    _refuse_second(version)  # before the gates, which take seconds
    return propose_examined(examined=examine(model=model, version=version), by=by, comment=comment)


def propose_examined(*, examined: Examined, by: Actor, comment: str = "") -> PromotionRequest:
    """Ask for the promotion of a version that has been through the gates; raises RequestOpen."""
    version, seen = examined.version, examined.seen
    try:
        with tenant_transaction():
            request = PromotionRequest.objects.create(
                model_id=version.model_id,
                version=version,
                against=None if seen is None else seen.version,
                comment=comment.strip()[:LONGEST_TEXT],
                gates=[gate.as_json() for gate in examined.gates],
                actor_kind=by.kind,
                actor_label=by.label[:200],
                hand=hand_of(by)[:250],
                expires_at=timezone.now() + timedelta(days=version.model.request_days),
            )
            record(
                by=by,
                action="promotion.proposed",
                target=request,
                after={"state": request.state, "version": version.number},
                comment=request.comment,
                failed_gates=[gate.name for gate in examined.gates if not gate.passed],
            )
    except IntegrityError as error:
        raise _open_already(version) from error
    return request


def approve(*, request: PromotionRequest, by: Actor, reason: str = "", override: bool = False) -> Deployment:
    """Make the proposed version the champion, after its gates were run once more against what runs now.

    Raises RequestClosed; NotAllowed where the model asks for four eyes and these are the same two;
    ReasonMissing, GateFailed, VersionNotReady, AlreadyChampion; PromotionRaced where somebody changed the
    champion while the gates ran. Whatever is raised, the request is as it was.
    """
    _demand_open(request)
    model = request.model
    if model.four_eyes and hand_of(by) == request.hand:
        raise NotAllowed(
            f"{model.name} asks for two people: whoever proposes a version does not approve it. "
            "Ask another approver.",
            code="four_eyes",
        )
    examined = examine(model=model, version=request.version)
    demand_passed(examined=examined, by=by, reason=reason, override=override)
    with tenant_transaction():
        _close(request, RequestState.APPROVED, by=by, reason=reason)
        return move_champion(examined=examined, by=by, reason=reason or request.comment, request=request)


def reject(*, request: PromotionRequest, by: Actor, reason: str) -> PromotionRequest:
    """Turn the proposal down, with a reason; raises ReasonMissing, RequestClosed."""
    if not reason.strip():
        raise ReasonMissing("Say why it is rejected.", fields={"reason": ["Needed."]})
    _demand_open(request)
    return _close(request, RequestState.REJECTED, by=by, reason=reason)


def withdraw(*, request: PromotionRequest, by: Actor, reason: str = "") -> PromotionRequest:
    """Take one's own proposal back; raises NotAllowed where it is somebody else's, RequestClosed."""
    _demand_open(request)
    if hand_of(by) != request.hand:
        raise NotAllowed(f"{request.requested_by} proposed it. Only they withdraw it; approvers reject it.")
    return _close(request, RequestState.WITHDRAWN, by=by, reason=reason)


def comment_on(*, request: PromotionRequest, by: Actor, text: str) -> PromotionRequest:
    """Add a comment; raises ReasonMissing where it is empty, RequestClosed where there are too many."""
    if not text.strip():
        raise ReasonMissing("Write a comment.", fields={"text": ["Needed."]})
    with tenant_transaction():
        row = PromotionRequest.objects.select_for_update().get(pk=request.pk)  # of two none is lost
        if len(row.comments) >= MOST_COMMENTS:
            raise RequestClosed(f"It has {MOST_COMMENTS} comments already. Decide it, or propose again.")
        said = {"at": timezone.now().isoformat(), "by": str(by)[:250], "text": text.strip()[:LONGEST_TEXT]}
        row.comments = [*row.comments, said]
        row.save(update_fields=["comments"])
        record(by=by, action="promotion.commented", target=row, text=said["text"])
    request.comments = row.comments
    return request


def requests_overview() -> QuerySet[PromotionRequest]:
    """Return every request, newest first, without large columns."""
    heavy = [f"{link}__{name}" for link in ("version", "against") for name in HEAVY_VERSION_COLUMNS]
    return PromotionRequest.objects.select_related(
        "model", "version__model", "against__model", "deployment"
    ).defer(*heavy, "deployment__gates")


def find_request(pk: int) -> PromotionRequest:
    """Return the request; raises RequestNotFound."""
    found = requests_overview().filter(pk=pk).first()
    if found is None:
        raise RequestNotFound(f"There is no promotion request {pk}. List them at /api/v1/promotion-requests.")
    return found


def open_requests() -> QuerySet[PromotionRequest]:
    """Return the requests that wait for an approver."""
    return requests_overview().filter(state=RequestState.OPEN, expires_at__gt=timezone.now())


def end_overdue(*, by: Actor) -> list[PromotionRequest]:
    """Close requests whose time is over, and those that were overtaken: returns them.

    Overtaken is one whose version can no longer run, or runs already.
    """
    champion = Alias.objects.filter(version=OuterRef("version"), name=CHAMPION)
    over = Q(expires_at__lte=timezone.now()) | ~Q(version__status=VersionStatus.READY) | Q(Exists(champion))
    with tenant_transaction():
        found = list(requests_overview().filter(over, state=RequestState.OPEN))
        ended = []
        for request in found:
            late = request.expires_at <= timezone.now()
            state = RequestState.EXPIRED if late else RequestState.STALE
            why = "Nobody decided in time." if late else f"{request.version} runs already, or cannot run."
            ended.append(_close(request, state, by=by, reason=why))
    return ended


def hand_of(actor: Actor) -> str:
    """Return who is behind an actor: of an API key whoever made it, of a command the account that runs it."""
    if actor.kind is ActorKind.API_KEY and actor.id is not None:
        key = ApiKey.objects.filter(pk=actor.id).only("created_by").first()
        return str(actor) if key is None else key.created_by
    if actor.kind is ActorKind.COMMAND:
        return f"command {actor.label.partition(':')[0]}"
    return str(actor)


def _demand_open(request: PromotionRequest) -> None:
    if not request.is_open:
        state = RequestState.EXPIRED if request.state == RequestState.OPEN else RequestState(request.state)
        raise RequestClosed(f"This request is closed: {state.label.lower()}. Propose the version again.")


def _close(request: PromotionRequest, state: RequestState, *, by: Actor, reason: str) -> PromotionRequest:
    """Compare and set: only one of those who decide at once succeeds; raises RequestClosed."""
    values = {
        "state": state,
        "decided_at": timezone.now(),
        "decided_by": str(by)[:250],
        "decision": reason.strip()[:LONGEST_TEXT],
    }
    with tenant_transaction():
        if not PromotionRequest.objects.filter(pk=request.pk, state=RequestState.OPEN).update(**values):
            raise RequestClosed("Somebody else decided this request just now. Look again.")
        record(
            by=by,
            action=f"promotion.{state}",
            target=request,
            before={"state": RequestState.OPEN},
            after={"state": state},
            reason=values["decision"],
        )
    for name, value in values.items():
        setattr(request, name, value)
    return request


def _refuse_second(version: ModelVersion) -> None:
    with tenant_transaction():
        if PromotionRequest.objects.filter(version=version, state=RequestState.OPEN).exists():
            raise _open_already(version)


def _open_already(version: ModelVersion) -> RequestOpen:
    return RequestOpen(f"{version} is proposed already. Comment on that request, or withdraw it first.")
