"""HTTP to addresses that a tenant named: judged at every step, and again at every redirect."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pytest_django import Settings

from mlplatform.outbound.connect import cut_after, open_socket
from mlplatform.outbound.errors import AddressRefused, AddressUnreachable
from mlplatform.outbound.http import (
    Proof,
    demand_encryption,
    guarded_client,
    place_of,
    send_following,
    without_params,
)
from tests.mlplatform.outbound.test_lookup import answers
from tests.web import Said, WebServer, web_server

SECRET = {"Authorization": "Bearer secret"}


def ask(url: str, method: str = "GET", secret: dict[str, str] | None = None) -> httpx.Response:
    with guarded_client(read_seconds=5) as client:
        response = send_following(client, method, url, headers={"X-A": "b"}, proof=Proof(secret or {}))
        response.read()
        return response


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "gopher://x", "ftp://x/y", "//x", "x", "", "http://", "javascript:alert(1)",
     "http://a:b@example.com/", "http://example.com@127.0.0.1/", "http://example.com:22/", "http://[::1"],
)  # fmt: skip
def test_addresses_that_are_none_are_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        place_of(url)


def test_what_is_inside_is_not_asked() -> None:
    with web_server(lambda _: Said()) as server:
        with pytest.raises(AddressRefused, match="inside"):
            ask(server.url)
        assert server.asked == []


def test_a_named_host_is_asked_under_its_own_name(settings: Settings) -> None:
    with web_server(lambda _: Said(body=b"hello")) as server:
        settings.OUTBOUND_HOSTS = [f"localhost:{server.port}"]
        assert ask(f"http://localhost:{server.port}/a?b=c").text == "hello"
    assert server.asked[0].path == "/a?b=c"
    assert server.asked[0].headers["host"] == f"localhost:{server.port}"


def test_a_redirect_inside_is_refused(settings: Settings) -> None:
    with web_server(lambda _: Said()) as inner:
        target = f"http://127.0.0.2:{inner.port}/"
        with web_server(lambda _: Said(302, {"Location": target})) as outer:
            settings.OUTBOUND_HOSTS = ["127.0.0.1"]
            with pytest.raises(AddressRefused, match="inside"):
                ask(outer.url)
    assert inner.asked == []


def test_a_redirect_to_another_scheme_is_refused_and_a_circle_ends(settings: Settings) -> None:
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]
    elsewhere = Said(302, {"Location": "file:///etc/passwd"})
    with web_server(lambda _: elsewhere) as server, pytest.raises(AddressRefused, match="not opened"):
        ask(server.url)
    again = Said(302, {"Location": "/again"})
    with web_server(lambda _: again) as server, pytest.raises(AddressRefused, match="redirects more than"):
        ask(server.url)
    assert len(server.asked) == 4


KEY = Proof(params={"api_key": "s3cret/&ä"})
KEY_AS_SENT = "api_key=s3cret%2F%26%C3%A4"


def ask_with_key(url: str) -> httpx.Response:
    with guarded_client(read_seconds=5) as client:
        response = send_following(client, "GET", url, headers={}, proof=KEY)
        response.read()
        return response


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/", f"/?{KEY_AS_SENT}"),
        ("/rows?since=2026-01-01T00:00:00Z&flag", f"/rows?since=2026-01-01T00:00:00Z&flag&{KEY_AS_SENT}"),
        ("/rows?a=%20b+c#part", f"/rows?a=%20b+c&{KEY_AS_SENT}"),
    ],
)
def test_a_secret_parameter_joins_the_address_where_it_leaves_and_nowhere_else(
    settings: Settings, path: str, sent: str
) -> None:
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]
    with web_server(lambda _: Said(body=b"end")) as server:
        response = ask_with_key(f"{server.url}{path}")
    assert server.asked[0].path == sent
    assert "s3cret" not in str(response.request.url) + repr(KEY) + repr(response.request)


def test_a_secret_parameter_goes_to_the_first_host_alone_even_where_the_redirect_repeats_it(
    settings: Settings,
) -> None:
    settings.OUTBOUND_HOSTS = ["127.0.0.1", "127.0.0.2"]
    with web_server(lambda _: Said(body=b"end"), "127.0.0.2") as second:
        target = f"http://127.0.0.2:{second.port}/b?{KEY_AS_SENT}&page=2"
        answers = {"/a": Said(302, {"Location": f"/c?{KEY_AS_SENT}"}), "/c": Said(307, {"Location": target})}
        with web_server(lambda asked: answers[asked.path.partition("?")[0]]) as first:
            assert ask_with_key(f"{first.url}/a").text == "end"
    assert [one.path for one in first.asked] == [f"/a?{KEY_AS_SENT}", f"/c?{KEY_AS_SENT}"]
    assert [one.path for one in second.asked] == ["/b?page=2"]


def test_a_secret_parameter_is_not_sent_in_the_clear(settings: Settings) -> None:
    settings.OUTBOUND_HOSTS = []
    with pytest.raises(AddressRefused, match="http://"):
        ask_with_key("http://example.com/")


@pytest.mark.parametrize(
    ("url", "left"),
    [
        ("https://h/a?key=1", "https://h/a"),
        ("https://h/a?key=1&b=%20c&b=d+e#end", "https://h/a?b=%20c&b=d+e#end"),
        ("https://h/a?b&k%65y=1&keys=2", "https://h/a?b&keys=2"),
        ("https://h/key=1", "https://h/key=1"),
        ("https://h/a?b=key", "https://h/a?b=key"),
    ],
)
def test_a_parameter_is_left_out_and_all_else_stays_as_it_was_written(url: str, left: str) -> None:
    assert without_params(url, ["key"]) == left
    assert without_params(url, []) == url


def test_a_credential_goes_to_the_first_host_alone(settings: Settings) -> None:
    settings.OUTBOUND_HOSTS = ["127.0.0.1", "127.0.0.2"]
    with web_server(lambda _: Said(body=b"end"), "127.0.0.2") as second:
        target = f"http://127.0.0.2:{second.port}/"
        with web_server(lambda _: Said(307, {"Location": target})) as first:
            assert ask(first.url, secret=SECRET).text == "end"
    assert first.asked[0].headers["authorization"] == "Bearer secret"
    assert "authorization" not in second.asked[0].headers
    assert second.asked[0].headers["x-a"] == "b"


def test_a_credential_is_not_sent_in_the_clear(settings: Settings) -> None:
    with pytest.raises(AddressRefused, match="Use https"):
        demand_encryption(place_of("http://example.com/"))
    demand_encryption(place_of("https://example.com/"))
    settings.OUTBOUND_HOSTS = ["127.0.0.0/8"]
    demand_encryption(place_of("http://127.0.0.1/"))


def test_the_connection_goes_where_the_name_led_when_it_was_judged(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that leads elsewhere at the second question (DNS rebinding) is never asked a second time."""
    settings.OUTBOUND_HOSTS = ["127.0.0.1/32"]
    resolve, asked = answers(["127.0.0.1"], ["127.0.0.2"])
    real = socket.getaddrinfo

    def changing(name: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        rebinding = name == "rebinding.example.com"
        return resolve(name, port) if rebinding else real(name, port, *args, **kwargs)

    with (
        web_server(lambda _: Said(body=b"judged")) as good,
        web_server(lambda _: Said(body=b"never"), "127.0.0.2", good.port) as bad,
    ):
        monkeypatch.setattr(socket, "getaddrinfo", changing)
        assert ask(f"http://rebinding.example.com:{good.port}/").text == "judged"
    assert (len(asked), bad.asked) == (1, [])


def test_no_proxy_of_the_surroundings_is_used(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]
    with web_server(lambda _: Said(body=b"direct")) as server:
        assert ask(server.url).text == "direct"


def test_a_connection_is_cut_when_its_time_is_over(settings: Settings) -> None:
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        open_socket("127.0.0.1", silent.getsockname()[1]) as opened,
        cut_after(0.1) as cutter,
    ):
        cutter.watch(opened.fileno())
        assert opened.recv(1) == b""
        assert cutter.over


def test_nobody_there_is_told(settings: Settings, server_port: int) -> None:
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]
    with pytest.raises(AddressUnreachable, match="Nothing answers"):
        ask(f"http://127.0.0.1:{server_port}/")


@pytest.fixture
def server_port() -> int:
    """A port at which nobody listens."""
    server: WebServer
    with web_server(lambda _: Said()) as server:
        return server.port


def test_an_answer_that_drips_is_cut(settings: Settings) -> None:
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]
    stop = threading.Event()

    def drops() -> Iterator[bytes]:
        while not stop.wait(0.02):
            yield b"x"

    started = time.monotonic()
    endless = {"Content-Length": "1000000"}
    with web_server(lambda _: Said(200, endless, drops())) as server, cut_after(0.2) as cutter:
        with guarded_client(cutter=cutter) as client, pytest.raises(httpx.TransportError):
            send_following(client, "GET", server.url, headers={}).read()
        assert cutter.over
        stop.set()
    assert time.monotonic() - started < 5
