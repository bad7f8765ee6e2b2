"""What the web server is given."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.core.signals import request_finished
from django.db import close_old_connections
from django.http import FileResponse, HttpResponse, StreamingHttpResponse

from mlplatform.whole_answers import whole_answers


@pytest.fixture(autouse=True)
def _no_connections() -> Iterator[None]:
    """Leave alone the connection that another test opened, as Django's own test client does."""
    request_finished.disconnect(close_old_connections)
    yield
    request_finished.connect(close_old_connections)


def given(response: Any) -> tuple[Iterable[bytes], bool]:
    """What the server is given for this response, and whether that was closed by then."""
    closed: list[bool] = []
    response._resource_closers.append(lambda: closed.append(True))
    return whole_answers(lambda *_: response)({}, None), bool(closed)


def test_an_answer_that_is_whole_is_given_at_once_and_closed() -> None:
    assert given(HttpResponse(b"whole")) == ([b"whole"], True)


def test_what_is_streamed_is_given_as_it_is() -> None:
    for response in (StreamingHttpResponse([b"a", b"b"]), FileResponse([b"a"])):
        answer, closed = given(response)
        assert answer is response
        assert not closed
