"""What the web server is given of an answer."""

from collections.abc import Callable, Iterable
from typing import Any

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def whole_answers(application: Application) -> Application:
    """Give the server answers that are whole as they are, and not as something to go through piece by piece.

    It then sends head and body at once, and takes no thread again in between. What is streamed stays so.
    """

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        response: Any = application(environ, start_response)
        if getattr(response, "streaming", True):
            return response  # type: ignore[no-any-return]  # an answer can be gone through
        content = response.content
        response.close()
        return [content]

    return answer
