"""Counts every request for answers by how it ended, refused and failed ones as well."""

import re
import time
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from mlplatform.tenancy.request_context import current_request
from registry.models.request_tally import RequestOutcome
from registry.services.request_tallies import TALLIES

GetResponse = Callable[[HttpRequest], HttpResponse]
NAME = r"([A-Za-z0-9._-]{1,200})"
ASKED = re.compile(
    rf"/api/v1/models/{NAME}/(?:predict|invocations)"
    rf"|/api/v1/mlflow/endpoints/{NAME}/invocations"
    rf"|/v2/models/{NAME}(?:/versions/[^/]+)?/infer"
)
BY_STATUS = {
    401: RequestOutcome.DENIED,
    403: RequestOutcome.DENIED,
    409: RequestOutcome.CONFLICT,
    429: RequestOutcome.THROTTLED,
    503: RequestOutcome.UNAVAILABLE,
}
# These say 503 as well, since trying again may help, but what fails is the version.
OF_THE_VERSION = frozenset({"artifact_corrupt", "cannot_predict", "challenger_failed"})


class CountRequestsMiddleware:
    """Stands around all that may answer or refuse; what the short way answers is counted there."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on, and count how it ended where its tenant is known."""
        asked = ASKED.fullmatch(request.path_info) if request.method == "POST" else None
        if asked is None:
            return self.get_response(request)
        started = time.perf_counter()
        response = self.get_response(request)
        tenant = getattr(request, "tenant", None)
        if tenant is not None:
            notes = current_request().notes
            outcome = outcome_of(response.status_code, notes)
            TALLIES.note(
                tenant,
                asked[asked.lastindex or 1],
                notes.get("version", 0),
                outcome,
                time.perf_counter() - started,
            )
        return response


def outcome_of(status: int, notes: dict[str, Any]) -> RequestOutcome:
    """Return what became of a request, by the status of its answer and what was noted on the way."""
    if status < 400:
        return RequestOutcome.STOOD_IN if notes.get("stood_in") else RequestOutcome.ANSWERED
    if notes.get("code") in OF_THE_VERSION:
        return RequestOutcome.FAILED
    return BY_STATUS.get(status, RequestOutcome.INVALID if status < 500 else RequestOutcome.FAILED)
