"""Asking a web service once more, and no more than it wants to be asked."""

from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import msgspec

from mlplatform.errors import PlatformError
from mlplatform.outbound.errors import AddressUnreachable
from mlplatform.outbound.http import NO_PROOF, Proof, send_following
from training.errors import SourceDown, SourceRefused
from training.sources.budget import Budget
from training.sources.hiding import left_out_of_json

TRIES, TRIES_OF_A_PREVIEW = 4, 2
FIRST_WAIT = 0.5  # seconds; doubled each time
PASSING = frozenset({429, 500, 502, 503, 504})
MOST_PAGE_BYTES = 100_000_000
PIECE = 1 << 16


class Answer:
    """One page of a service: what it says, and its headers."""

    def __init__(self, response: httpx.Response, body: bytes) -> None:
        self.links = response.links
        self._body = body

    def json(self) -> Any:
        """Return the answer as JSON; raises SourceRefused."""
        try:
            return msgspec.json.decode(self._body)
        except RecursionError as error:
            raise SourceRefused("The answer is nested too deeply to be a table.") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise SourceRefused(
                f"The answer is no JSON ({error}). Check the address: it may be a page for people."
            ) from error


def ask(
    client: httpx.Client,
    budget: Budget,
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    proof: Proof = NO_PROOF,
    content: bytes | None = None,
) -> Answer:
    """Ask, and again where the service is only busy; waits as long as it says in Retry-After.

    Raises AddressRefused, AddressUnreachable, SourceDown or SourceRefused.
    """
    tries = TRIES if budget.sample is None else TRIES_OF_A_PREVIEW
    for number in range(1, tries + 1):
        budget.ask()
        trouble: PlatformError
        pause = FIRST_WAIT * 2 ** (number - 1)
        try:
            response = send_following(client, method, url, headers=headers, proof=proof, content=content)
            with closing(response):
                if response.status_code not in PASSING:
                    body = _body(response, budget)
                    return Answer(response, left_out_of_json(body, proof.params.values()))
                trouble = SourceDown(f"The service answers {response.status_code} and may recover.")
                pause = max(pause, _asked_to_wait(response))
        except AddressUnreachable as error:
            trouble = error
        except httpx.TransportError as error:
            budget.left()  # says so where the time was over
            trouble = SourceDown(f"The service does not answer as it should: {type(error).__name__}.")
        if number == tries:
            break
        budget.wait(pause)
    raise trouble


def _body(response: httpx.Response, budget: Budget) -> bytes:
    if response.status_code >= 400:
        raise SourceRefused(_refusal(response.status_code), code=f"http_{response.status_code}")
    # Nothing packed was asked for, and what unpacks to a thousand times its size is not unpacked.
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise SourceRefused("The service packs its answer although it was asked not to.")
    body = bytearray()
    for piece in response.iter_raw(PIECE):
        body += piece
        budget.take_bytes(len(piece))
        budget.left()
        if len(body) > MOST_PAGE_BYTES:
            raise SourceRefused(f"One answer has more than {MOST_PAGE_BYTES:,} bytes. Ask for smaller pages.")
    budget.left()  # what was cut off because the time was over is no answer
    return bytes(body)


def _refusal(status: int) -> str:
    hints = {
        401: "It does not accept the credential.",
        403: "The credential does not allow this.",
        404: "There is nothing at this address. Check the path.",
        405: "It does not take this method. Try the other one.",
    }
    return f"The service answers {status}. {hints.get(status, 'Check address, parameters and credential.')}"


def _asked_to_wait(response: httpx.Response) -> float:
    """Return the seconds that Retry-After asks for, as a number or a date (RFC 9110, 10.2.3)."""
    text = response.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
