"""The short way before Django's own handling: what a server is given that speaks WSGI.

A request and an answer of Django, its signals and its chain of middleware take as long as the whole short way
does. So the usual request for answers is read here from what the server gives, and answered with what
``answer_now`` says. Everything else, and whatever that does not answer, goes on to Django as it came.
"""

from collections.abc import Iterable
from io import BytesIO
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.db import close_old_connections

from mlplatform.whole_answers import Application
from registry.api.predict_now import TRIED, answer_now, usual_name
from registry.api.whole import Whole

BEGINNING = "/api/v1/models/"


def quick_answers(application: Application) -> Application:
    """Return the application with the short way before it."""

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] != "POST" or not (path.startswith(BEGINNING) and path.isascii()):
            return application(environ, start_response)
        whole = _tried(environ, path)
        if whole is None:
            return application(environ, start_response)
        start_response(whole.status, whole.headers)
        return [whole.body]

    return answer


def _tried(environ: dict[str, Any], path: str) -> Whole | None:
    """Answer, or put back what was read and say that this way need not be tried again."""
    # As much of a request as the short way asks for: its environment, scheme and host.
    request = WSGIRequest.__new__(WSGIRequest)
    request.META = request.environ = environ
    name = usual_name(request, path)
    if name is None:
        return None
    close_old_connections()  # as Django does at the beginning and the end of a request
    content = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    whole = answer_now(request, name, content)
    if whole is None:
        environ["wsgi.input"], environ[TRIED] = BytesIO(content), True
    return whole
