"""The header by which a request that is sent again is answered as before."""

from typing import TypeVar

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request

from registry.services.done_once import Done
from registry.services.repeats import Once, once
from registry.services.serving import Answer

HEADER, REPEATED = "Idempotency-Key", "Idempotency-Replayed"
KEY_PARAMETER = OpenApiParameter(
    HEADER,
    str,
    OpenApiParameter.HEADER,
    description="A text of your own, such as a fresh UUID. The same request with the same key is answered as "
    "before, with the same prediction ids, for ML_IDEMPOTENCY_HOURS; another request with it is refused.",
)


def once_of(request: Request, body: bytes) -> Once | None:
    """Return the request's key and what it asks, or None where it has none; raises InvalidKey."""
    return once(request.headers.get(HEADER), request.get_full_path().encode(), body)


Told = TypeVar("Told", bound=HttpResponse)


def tell_repeated(response: Told, answer: Answer | Done) -> Told:
    """Return the response with a header that says whether the answer was given before."""
    if answer.repeated:
        response[REPEATED] = "true"
    return response
