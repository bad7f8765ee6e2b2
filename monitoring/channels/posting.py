"""Sending a message to an address that a tenant named: through the guard, bounded in time and size."""

from collections.abc import Mapping

import httpx

from mlplatform.errors import PlatformError
from mlplatform.outbound.connect import cut_after
from mlplatform.outbound.errors import AddressRefused
from mlplatform.outbound.http import demand_encryption, guarded_client, place_of
from monitoring.channels.base import BadSetting, SendingFailed

SECONDS = 15.0
MOST_OF_AN_ERROR = 200  # bytes of the answer that are read
GONE = 410


def checked_address(url: object, name: str) -> str:
    """Return the address; raises BadSetting for what is none, AddressRefused for where nobody may go."""
    if not isinstance(url, str) or not 8 <= len(url.strip()) <= 2_000:
        raise BadSetting(name, "Give the whole address, beginning with https://.")
    demand_encryption(place_of(url.strip()))
    return url.strip()


def host_of(url: str) -> str:
    """Return the host of an address that was checked, for people to see; the rest may be a secret."""
    return place_of(url).host


def post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Send the body; raises SendingFailed unless the answer says 2xx. Redirects are not followed.

    AddressRefused is raised where the address leads inside now.
    """
    demand_encryption(place_of(url))
    try:
        with cut_after(SECONDS) as cutter, guarded_client(read_seconds=SECONDS, cutter=cutter) as client:
            request = client.build_request("POST", url, content=body, headers=dict(headers))
            answer = client.send(request, stream=True)
            try:
                _judge(answer)
            finally:
                answer.close()
    except AddressRefused:
        raise
    except PlatformError as error:
        raise SendingFailed(error.detail) from error
    except httpx.TransportError as error:
        raise SendingFailed(f"The receiver did not answer as it should: {type(error).__name__}.") from error


def _judge(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    if answer.is_redirect:
        raise SendingFailed(f"The receiver redirects ({answer.status_code}). Give its last address.")
    said = _beginning(answer)
    words = f"The receiver answered {answer.status_code}" + (f": {said}" if said else ".")
    raise SendingFailed(words, final=answer.status_code == GONE)


def _beginning(answer: httpx.Response) -> str:
    found = b""
    for piece in answer.iter_raw(MOST_OF_AN_ERROR):
        found += piece
        if len(found) >= MOST_OF_AN_ERROR:
            break
    text = found[:MOST_OF_AN_ERROR].decode(errors="replace")
    return "".join(letter for letter in text if letter.isprintable())
