"""What is refused before anything else looks at a request."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from mlplatform.api.problems import length_required

GetResponse = Callable[[HttpRequest], HttpResponse]


class KnownLengthMiddleware:
    """Refuses bodies of unknown length (411), so that none is taken for empty and none is endless."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or pass the request on."""
        if "Transfer-Encoding" in request.headers:
            return length_required()
        return self.get_response(request)
