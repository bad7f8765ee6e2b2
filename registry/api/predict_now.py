"""The short way to an answer: ``POST /api/v1/models/{name}/predict`` of an API key, when all is well.

``PredictView`` (predictions.py) is the route: it is documented, and it says what is wrong with a request.
This plain view stands before it, before all other middleware and, on the server, before Django's own
handling (``quick.py``). It answers what the view would answer with success, at a tenth of the cost: one pass
over the body by the version's own types, what is known of the key and the model from memory
(``services/access.py``), one short transaction for the log. It never refuses anything. Where it is not sure
that the request is right, or the database fails, it leaves no trace and lets the long way begin anew. A bug
is answered as the long way answers one.
"""

import logging
import re
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from mlplatform.api.middleware import standing_headers
from mlplatform.errors import PlatformError
from mlplatform.tenancy.request_context import (
    RequestContext,
    accepted_request_id,
    client_address,
    request_context,
)
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.leases import give_back_leased, take_leased
from mlplatform.tenancy.services.requests import RequestLimitReached, Standing, refuse_again
from registry.api.answer_bodies import named_answer
from registry.api.whole import Whole, whole, wrong
from registry.inference.decoding import ReadRequest, read_request
from registry.models.prediction import time_ordered_uuids
from registry.models.registered_model import LogWriting
from registry.models.request_tally import RequestOutcome
from registry.privacy.pseudonyms import is_pseudonym, pseudonym
from registry.services.access import MEMORY, Access
from registry.services.forks import Given, answered, deal
from registry.services.log_buffer import BUFFER
from registry.services.prediction_log import LoggedRow, store_rows
from registry.services.request_tallies import TALLIES
from registry.services.row_checks import check_keys
from registry.services.sampling import kept_positions
from registry.services.serving import sole
from registry.services.shadow_queue import QUEUE
from registry.services.shadows import ask_shadows

logger = logging.getLogger(__name__)
GetResponse = Callable[[HttpRequest], HttpResponse]
PATH = re.compile(r"/api/v1/models/([^/]+)/predict")
JSON = frozenset({"application/json", "application/json; charset=utf-8", "application/json;charset=utf-8"})
READS_JSON = frozenset({"", "*/*", "application/json"})
# With any of these the long way has more to do than to answer.
UNUSUAL = ("HTTP_TRANSFER_ENCODING", "HTTP_ORIGIN", "HTTP_CONTENT_ENCODING", "HTTP_IDEMPOTENCY_KEY")
TRIED = "platform.tried"  # in a request's environment: the server has tried the short way already
# Where the long way finds the ids of rows that may be stored; no client can send a field of this name.
UNCONFIRMED = "mlplatform.unconfirmed"
FAILURES = (PlatformError, DatabaseError, InterfaceError)


class PredictNowMiddleware:
    """Answers by ``predict_now`` where that can, before anything else is done; passes all else on."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or pass the request on."""
        tried = TRIED in request.META
        name = usual_name(request, request.path_info) if request.method == "POST" and not tried else None
        answer = None if name is None else answer_now(request, name, request.body)
        if answer is None:
            return self.get_response(request)
        return HttpResponse(answer.body, headers=dict(answer.headers), status=int(answer.status[:3]))


def usual_name(request: HttpRequest, path: str) -> str | None:
    """Return the name of the model that a POST to this path asks, where ``answer_now`` may try to answer."""
    name = PATH.fullmatch(path)
    return name[1] if name is not None and _is_usual(request) else None


def answer_now(request: HttpRequest, name: str, content: bytes) -> Whole | None:
    """Answer every row, or return None and leave nothing behind; the request passed ``usual_name``."""
    started = time.perf_counter()
    request_id = accepted_request_id(request.META.get("HTTP_X_REQUEST_ID"))
    with request_context(request_id=request_id, address=client_address(request)) as context:
        access = None
        try:
            asked = read_request(content)
            access = None if asked is None else _access(request, name, asked)
            if asked is None or access is None:
                return None
            with tenant_scope(access.tenant, access.sight):
                body, standings = _answer(access, asked, context, started, request.META)
        except Exception:  # nobody stands behind this but the server, which would answer without a word
            logger.exception("The request for answers of model %s failed", name)
            return _gone_wrong(request, access, started, request_id)
        if body is None:
            return None
        _count(access, started, _served(access))
        return whole(request, body, request_id, standing_headers(standings))


def _gone_wrong(request: HttpRequest, access: Access | None, started: float, request_id: str) -> Whole:
    """Answer a bug as the rest of the API does, and count it; its traceback is in the log."""
    if access is not None:
        _count(access, started, RequestOutcome.FAILED)
    return wrong(request, request_id)


def _served(access: Access) -> RequestOutcome:
    return RequestOutcome.ANSWERED if access.way.instead_of is None else RequestOutcome.STOOD_IN


def _count(access: Access, started: float, outcome: RequestOutcome) -> None:
    number = access.way.instead_of or access.way.version.number  # of the one that should answer
    TALLIES.note(access.tenant, access.model.name, number, outcome, time.perf_counter() - started)


def _is_usual(request: HttpRequest) -> bool:
    """Tell whether this is a plain JSON request with an API key, of an allowed host and size."""
    meta = request.META
    credentials, length = meta.get("HTTP_AUTHORIZATION", ""), meta.get("CONTENT_LENGTH") or ""
    if (
        not credentials
        or meta.get("QUERY_STRING")
        or meta.get("CONTENT_TYPE", "").lower() not in JSON
        or meta.get("HTTP_ACCEPT", "") not in READS_JSON
        or any(name in meta for name in UNUSUAL)
        or not length.isdecimal()
        or not 0 < int(length) <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        or (settings.SECURE_SSL_REDIRECT and not request.is_secure())
    ):
        return False
    try:
        request.get_host()
        refuse_again(credentials)
    except (DisallowedHost, RequestLimitReached):
        return False
    return True


def _access(request: HttpRequest, name: str, asked: ReadRequest) -> Access | None:
    credentials = request.META["HTTP_AUTHORIZATION"]
    access = MEMORY.find(credentials, name)
    if asked.version is None:
        return access
    if access is not None and access.way.version.number == asked.version and access.way.instead_of is None:
        return access
    return MEMORY.find(credentials, name, asked.version)


def _answer(
    access: Access, asked: ReadRequest, context: RequestContext, started: float, meta: dict[str, Any]
) -> tuple[bytes | None, list[Standing]]:
    """Return the answer and where the limits stand, once the log is written; None for the long way.

    Where writing failed, ``meta`` tells the long way the ids: a commit may have been heard all the same.
    """
    rows = access.way.decoder.rows(asked)
    keys = asked.entity_keys
    if rows is None or not 0 < len(rows) <= settings.MAX_PREDICTION_ROWS or check_keys(keys, len(rows)):
        return None, []
    standings = take_leased(access.allowances)
    if standings is None:
        return None, []
    logged: list[LoggedRow] = []
    try:
        entities = [""] * len(rows) if keys is None else [_entity(access, key) for key in keys]
        fork, columns = access.fork if asked.version is None else None, access.way.plan.columns
        dealt = deal(fork, rows, entities, context.request_id, timezone.now(), columns)
        given = answered(access.way.version, access.way.plan, rows, dealt)
        latency_ms = (time.perf_counter() - started) * 1000
        logged = _logged(access, rows, given, entities, context.request_id, latency_ms)
        _log(access, [row for row in logged if row["id"] is not None])
    except FAILURES:
        give_back_leased(access.allowances)
        if logged:
            meta |= {UNCONFIRMED: [row["id"] for row in logged], "HTTP_X_REQUEST_ID": context.request_id}
        return None, []
    if access.shadows:
        _shadow(access, rows, logged, given)
    return _body(access, logged, given, context.request_id, latency_ms), standings


def _log(access: Access, rows: Sequence[LoggedRow]) -> None:
    """Store the rows, or leave them to the writer in the background where the model chose that."""
    if not rows:
        return
    if access.model.log_writing == LogWriting.BACKGROUND and BUFFER.put(access.tenant, rows):
        return
    store_rows(rows)


def _shadow(
    access: Access, rows: Sequence[dict[str, Any]], logged: Sequence[LoggedRow], given: Sequence[Given]
) -> None:
    """Leave the logged rows to the versions in shadow."""
    told = [
        (row["id"], one.cached, asked, one.version)
        for row, one, asked in zip(logged, given, rows, strict=True)
    ]
    asked = ask_shadows(access.shadows, told, logged[0]["created_at"])
    if asked is not None:
        QUEUE.put(asked)


def _logged(
    access: Access,
    rows: Sequence[dict[str, Any]],
    given: Sequence[Given],
    entities: Sequence[str],
    request_id: str,
    latency_ms: float,
) -> list[LoggedRow]:
    now, asked_by, marked = timezone.now(), str(access.actor)[:200], bool(access.treat.marks)
    kept, ids = kept_positions(access.model, entities, request_id), time_ordered_uuids(len(rows))
    return [
        {
            "id": ids[position] if kept[position] else None,
            "model_id": access.model.pk,
            "version_id": one.version.pk,
            "entity_key": entities[position],
            "features": access.treat.row(row) if marked else row,
            "label": one.answer.label or "",
            "value": one.answer.value,
            "probabilities": one.answer.probabilities,
            "engine": one.engine,
            "cached": one.cached,
            "latency_ms": latency_ms,
            "request_id": request_id,
            "asked_by": asked_by,
            "rollout_id": one.rollout,
            # A microsecond apart: the rows keep their order, and no page boundary falls between equals.
            "created_at": now + timedelta(microseconds=position),
        }
        for position, (row, one) in enumerate(zip(rows, given, strict=True))
    ]


def _entity(access: Access, key: str | None) -> str:
    if not key or is_pseudonym(key):
        return key or ""
    return pseudonym(key, access.pseudonym_key)


def _body(
    access: Access, logged: Sequence[LoggedRow], given: Sequence[Given], request_id: str, latency_ms: float
) -> bytes:
    problem = access.model.problem_type
    return msgspec.json.encode(
        {
            "model": access.model.name,
            "version": sole([one.version.number for one in given]),
            "instead_of": access.way.instead_of,
            "request_id": request_id,
            "latency_ms": latency_ms,
            "engine": sole([one.engine for one in given]),
            "predictions": [
                {
                    "id": row["id"],
                    "entity_key": row["entity_key"],
                    "version": one.version.number,
                    "label": row["label"] or None,
                    "value": row["value"],
                    "probabilities": row["probabilities"],
                    "interval": None,
                    "possible": None,
                    "cached": row["cached"],
                    "explanation": None,
                    **named_answer(problem, row["label"], row["value"]),
                }
                for row, one in zip(logged, given, strict=True)
            ],
        }
    )
