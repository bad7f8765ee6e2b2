"""HTTP to addresses that a tenant named."""

import ipaddress
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus, urlencode, urljoin

import httpx

from mlplatform.outbound.connect import CONNECT_SECONDS, Cutter, unreachable
from mlplatform.outbound.errors import AddressRefused
from mlplatform.outbound.lookup import check_web_port, current_policy, plain_host, vetted

MOST_REDIRECTS = 3
PROOF = "proof"  # what a request carries it under, up to where it leaves
READ_SECONDS = 30.0
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Place:
    """Where a URL leads: never more than scheme, host and port decide whether one may go there."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True)
class Proof:
    """What shows who asks; it goes to the first host alone.

    ``params`` are joined to the address where a request leaves, so that no address in a log or an error, nor
    one that is compared or followed, ever holds them.
    """

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __bool__(self) -> bool:
        """Whether there is anything to keep from others."""
        return bool(self.headers or self.params)


NO_PROOF = Proof()


def without_params(url: str, names: Collection[str]) -> str:
    """Return the address without these parameters, all else as it was written; raises AddressRefused."""
    if not names or "?" not in url:
        return url
    base, _, rest = url.partition("?")
    query, hash_sign, fragment = rest.partition("#")
    pieces = query.split("&")
    kept = [piece for piece in pieces if unquote_plus(piece.partition("=")[0]) not in names]
    if len(kept) == len(pieces):
        return url
    return base + ("?" if kept else "") + "&".join(kept) + hash_sign + fragment


def followed(url: str, link: str) -> str:
    """Return where a link of this address leads; raises AddressRefused for what is no address."""
    try:
        return urljoin(url, link)
    except ValueError as error:
        raise AddressRefused(
            f"{link[:100]!r} is no address. The service at {url[:100]!r} names it."
        ) from error


def place_of(url: str) -> Place:
    """Return where the URL leads; raises AddressRefused for what is no web address, or hides who is asked."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise AddressRefused(f"{url[:100]!r} is no address. It begins with https://.") from error
    if parsed.scheme not in PORTS:
        raise AddressRefused(
            f"{parsed.scheme or 'An address without a scheme'!r} is not opened. Use https://."
        )
    if parsed.userinfo:
        raise AddressRefused("The address holds a name or password before @. Give it as the credential.")
    place = Place(parsed.scheme, plain_host(parsed.host), parsed.port or PORTS[parsed.scheme])
    check_web_port(place.host, place.port)
    return place


def demand_encryption(place: Place) -> None:
    """Raise AddressRefused where a secret would go in the clear to a host that the operator did not name."""
    if place.scheme == "http" and not current_policy().trusts(place.host, place.port):
        raise AddressRefused(
            "A credential is not sent over http://, where everybody on the way can read it. Use https://."
        )


class GuardedTransport(httpx.BaseTransport):
    """Connects to the address that was judged, while name and certificate stay those of the host."""

    def __init__(self, cutter: Cutter | None = None) -> None:
        self._inner = httpx.HTTPTransport(verify=True, trust_env=False, retries=0)
        self._cutter = cutter

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send; raises AddressRefused, or httpx.TransportError."""
        place = place_of(str(request.url))
        failure: Exception | None = None
        extensions = dict(request.extensions)
        url = _with_params(request.url, extensions.pop(PROOF, {}))
        for address in vetted(place.host, place.port):
            sent = httpx.Request(
                request.method,
                url.copy_with(host=address),
                headers=request.headers.raw,
                stream=request.stream,
                extensions={**extensions, **_server_name(place.host), "trace": self._watch},
            )
            try:
                return self._inner.handle_request(sent)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        raise unreachable(place.host, place.port) from failure

    def _watch(self, event: str, info: Mapping[str, Any]) -> None:
        """Have a new connection cut when its time is over, from before the first byte is sent."""
        if self._cutter is not None and event == "connection.connect_tcp.complete":
            self._cutter.watch(info["return_value"].get_extra_info("socket").fileno())

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


def _with_params(url: httpx.URL, params: Mapping[str, str]) -> httpx.URL:
    if not params:
        return url
    return url.copy_with(query=b"&".join(filter(None, (url.query, urlencode(params).encode()))))


def _server_name(host: str) -> dict[str, str]:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return {"sni_hostname": host}
    return {}


def guarded_client(*, read_seconds: float = READ_SECONDS, cutter: Cutter | None = None) -> httpx.Client:
    """Return a client whose every connection is judged; it follows no redirect and no proxy by itself.

    ``cutter`` ends connections, however slowly the other side talks.
    """
    return httpx.Client(
        transport=GuardedTransport(cutter),
        timeout=httpx.Timeout(read_seconds, connect=CONNECT_SECONDS),
        follow_redirects=False,
        trust_env=False,
    )


def send_following(
    client: httpx.Client,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    proof: Proof = NO_PROOF,
    content: bytes | None = None,
) -> httpx.Response:
    """Send and follow a few redirects, each judged anew; the answer's body is still to be read.

    ``proof`` goes to the first host alone. Raises AddressRefused, AddressUnreachable, or
    httpx.TransportError.
    """
    first = place_of(url)
    for _ in range(MOST_REDIRECTS + 1):
        place = place_of(url)
        shown = proof if place == first else NO_PROOF
        if shown:
            demand_encryption(place)
        request = client.build_request(
            method,
            url,
            headers={**headers, **shown.headers},
            content=content,
            extensions={PROOF: shown.params},
        )
        response = client.send(request, stream=True)
        if not response.has_redirect_location:
            return response
        location = response.headers["location"]
        response.close()
        url = without_params(followed(url, location), proof.params)  # services repeat what they were asked
        if response.status_code in {301, 302, 303} and method != "HEAD":
            method, content = "GET", None
    raise AddressRefused(f"{first.host} redirects more than {MOST_REDIRECTS} times. Give the last address.")
