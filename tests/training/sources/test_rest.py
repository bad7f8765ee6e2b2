"""Rows of a real web service, page by page."""

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pytest_django import Settings

from mlplatform.errors import PlatformError
from mlplatform.outbound.errors import AddressRefused, AddressUnreachable
from tests.training.sources.places import fetch, records
from tests.web import Asked, Said, web_server
from training.errors import InvalidSource, SourceDown, SourceRefused

JSON = {"Content-Type": "application/json"}
Service = Callable[[Asked], Said]


@pytest.fixture(autouse=True)
def _this_machine_is_open(settings: Settings) -> None:
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]


def said(value: Any, **headers: str) -> Said:
    return Said(200, JSON | headers, json.dumps(value).encode())


def query(asked: Asked) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(asked.path).query).items()}


def by_page(asked: Asked) -> Said:
    page, size = int(query(asked)["page"]), int(query(asked)["per"])
    return said({"data": {"items": records()[(page - 1) * size : page * size]}})


def by_offset(asked: Asked) -> Said:
    start = int(query(asked)["offset"])
    return said(records()[start : start + 15])


def by_cursor(asked: Asked) -> Said:
    start = int(query(asked).get("after", 0))
    more = {"next": {"id": start + 15}} if start + 15 < 40 else {"next": None}
    return said({"rows": records()[start : start + 15], **more})


def by_link(asked: Asked) -> Said:
    start = int(query(asked).get("start", 0))
    link = {"Link": f'</rows?start={start + 15}>; rel="next"'} if start + 15 < 40 else {}
    return said(records()[start : start + 15], **link)


PAGED: dict[str, tuple[Service, dict[str, Any], int]] = {
    "page": (by_page, {"paging": "page", "rows": "data.items", "size_param": "per", "size": 15}, 4),
    "offset": (by_offset, {"paging": "offset"}, 4),
    "cursor": (
        by_cursor,
        {"paging": "cursor", "rows": "rows", "cursor_path": "next.id", "cursor_param": "after"},
        3,
    ),
    "link": (by_link, {"paging": "link"}, 3),
}


@pytest.mark.parametrize("paging", PAGED)
def test_every_page_is_asked_for_once(paging: str) -> None:
    service, settings, requests = PAGED[paging]
    with web_server(service) as server:
        frame = fetch("rest", {"url": f"{server.url}/rows", **settings})
    assert frame["id"].tolist() == list(range(1, 41))
    assert len(server.asked) == requests


def test_a_preview_asks_for_no_more_pages_than_it_shows() -> None:
    with web_server(by_offset) as server:
        assert len(fetch("rest", {"url": server.url, "paging": "offset"}, sample=20)) == 20
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("given", "header", "value"),
    [
        ({"auth": "bearer"}, "authorization", "Bearer s3cret"),
        ({"auth": "basic", "username": "ann"}, "authorization", "Basic YW5uOnMzY3JldA=="),
        ({"auth": "header", "auth_header": "X-Key"}, "x-key", "s3cret"),
    ],
)
def test_the_credential_goes_as_asked(given: dict[str, Any], header: str, value: str) -> None:
    with web_server(lambda _: said(records())) as server:
        fetch("rest", {"url": server.url, "headers": {"X-Plain": "1"}, **given}, "s3cret")
    assert server.asked[0].headers[header] == value
    assert server.asked[0].headers["x-plain"] == "1"


KEY = {"auth": "query", "auth_param": "appid"}


@pytest.mark.parametrize("paging", PAGED)
def test_a_key_in_the_address_goes_with_every_page(paging: str) -> None:
    service, settings, requests = PAGED[paging]
    with web_server(service) as server:
        frame = fetch("rest", {"url": f"{server.url}/rows", **settings, **KEY}, "s3cret&key")
    assert frame["id"].tolist() == list(range(1, 41))
    assert [query(one)["appid"] for one in server.asked] == ["s3cret&key"] * requests


def test_a_key_that_the_service_repeats_is_neither_doubled_nor_shown() -> None:
    def repeating(asked: Asked) -> Said:
        rows = [{**row, "self": f"http://127.0.0.1{asked.path}"} for row in records(5)]
        more = {} if "start" in asked.path else {"Link": f'<{asked.path}&start=5>; rel="next"'}
        return said(rows, **more)

    with web_server(repeating) as server:
        frame = fetch("rest", {"url": f"{server.url}/rows?of=x", "paging": "link", **KEY}, "s3cret&key")
    assert [one.path for one in server.asked] == [
        "/rows?of=x&appid=s3cret%26key",
        "/rows?of=x&start=5&appid=s3cret%26key",
    ]
    assert set(frame["self"].str.partition("appid=")[2].str.partition("&")[0]) == {"[left out]"}


def test_a_key_goes_in_the_address_of_a_post_too() -> None:
    with web_server(lambda _: said(records())) as server:
        fetch("rest", {"url": server.url, "method": "POST", "body": {"since": 5}, **KEY}, "s3cret")
    assert (server.asked[0].path, json.loads(server.asked[0].body)) == ("/?appid=s3cret", {"since": 5})


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"url": "https://example.com/?api_key=1"}, "url"),
        ({"url": "https://example.com/?a=b&Access-Token=1", "auth": "bearer"}, "url"),
        ({"url": "https://example.com/?appid=1", **KEY}, "auth_param"),
        ({"url": "https://example.com/", **KEY, "auth_param": ""}, "auth_param"),
        ({"url": "https://example.com/", **KEY, "auth_param": "a=b&c"}, "auth_param"),
        ({"url": "https://example.com/", **KEY, "auth_param": "page", "paging": "page"}, "auth_param"),
    ],
)
def test_a_key_stands_in_no_setting(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidSource) as told:
        fetch("rest", given, "s3cret")
    assert set(told.value.fields or {}) == {field}


def test_post_sends_the_body_with_the_page() -> None:
    with web_server(lambda _: said({"rows": []})) as server:
        settings = {
            "url": server.url,
            "method": "POST",
            "body": {"since": 5},
            "rows": "rows",
            "paging": "page",
        }
        assert fetch("rest", settings).empty
    assert json.loads(server.asked[0].body) == {"since": 5, "page": "1"}


@pytest.mark.parametrize("wait", ["0", "1", "Fri, 20 Nov 2020 15:42:51 +0000"])
def test_a_busy_service_is_asked_again_when_it_says(wait: str) -> None:
    answers = [Said(503, {"Retry-After": wait}), Said(429, {"Retry-After": "0"}), said(records())]
    started = time.monotonic()
    with web_server(lambda _: answers[len(server.asked) - 1]) as server:
        assert len(fetch("rest", {"url": server.url})) == 40
    assert time.monotonic() - started >= 1.5 if wait != "1" else 2


def test_a_service_that_asks_for_more_time_than_there_is_counts_as_down() -> None:
    busy = Said(429, {"Retry-After": "3600"})
    with web_server(lambda _: busy) as server, pytest.raises(SourceDown, match="wait for 3600 seconds"):
        fetch("rest", {"url": server.url})
    assert len(server.asked) == 1


PACKED = Said(200, JSON | {"Content-Encoding": "gzip"}, b"x")
DEEP = Said(200, JSON, b"[" * 100_000)


@pytest.mark.parametrize(
    ("answer", "error", "problem"),
    [
        (Said(401), SourceRefused, "credential"),
        (Said(404), SourceRefused, "nothing at this address"),
        (Said(500), SourceDown, "500"),
        (Said(200, {}, b"<html>"), SourceRefused, "no JSON"),
        (Said(200, {}, b'{"a": 1'), SourceRefused, "no JSON"),
        (DEEP, SourceRefused, "nested too deeply|no JSON"),
        (PACKED, SourceRefused, "packs its answer"),
        (said({"data": [1], "b": 2}), SourceRefused, "Lists stand at: data"),
        (said([1, 2]), SourceRefused, "no objects"),
        (said([{"a": "x" * 20_000_000}]), SourceRefused, "bytes"),
        (Said(302, {"Location": "http://127.0.0.2/"}), AddressRefused, "inside"),
        (Said(302, {"Location": "file:///etc/passwd"}), AddressRefused, "not opened"),
        (Said(302, {"Location": "http://[bad/"}), AddressRefused, "no address"),
        (Said(302, {"Location": "http://h:port/"}), SourceDown, "as it should"),
    ],
)
def test_trouble_is_told_in_a_sentence(answer: Said, error: type[PlatformError], problem: str) -> None:
    with web_server(lambda _: answer) as server, pytest.raises(error, match=problem):
        fetch("rest", {"url": server.url}, sample=20)


def test_pages_without_end_are_refused() -> None:
    page = said([{"a": 1}])
    with web_server(lambda _: page) as server, pytest.raises(SourceRefused, match="more than 5 pages"):
        fetch("rest", {"url": server.url, "paging": "page", "max_pages": 5})
    assert len(server.asked) == 5
    same = said([{"a": 1}], Link='</>; rel="next"')
    with web_server(lambda _: same) as server, pytest.raises(SourceRefused, match="again and again"):
        fetch("rest", {"url": f"{server.url}/", "paging": "link"})


def test_a_next_page_elsewhere_gets_no_credential(settings: Settings) -> None:
    settings.OUTBOUND_HOSTS = ["127.0.0.1", "127.0.0.2"]
    with web_server(lambda _: said(records()), "127.0.0.2") as other:
        link = {"Link": f'<http://127.0.0.2:{other.port}/>; rel="next"'}
        with web_server(lambda _: said(records(), **link)) as server:
            fetch("rest", {"url": server.url, "paging": "link", "auth": "bearer"}, "s3cret")
            fetch("rest", {"url": server.url, "paging": "link", **KEY}, "s3cret")
    assert "authorization" in server.asked[0].headers
    assert "authorization" not in other.asked[0].headers
    assert [one.path for one in server.asked] == ["/", "/?appid=s3cret"]
    assert [one.path for one in other.asked] == ["/", "/"]


@pytest.mark.parametrize(
    "given",
    [
        {"url": "file:///etc/passwd"},
        {"url": "http://u:p@127.0.0.1/"},
        {"url": "http://127.0.0.1:6379/"},
        {"url": "http://example.com/", "auth": "bearer"},
        {"url": "http://example.com/", "auth": "query"},
        {"url": "https://example.com/", "headers": {"Authorization": "x"}},
        {"url": "https://example.com/", "headers": {"Host": "x"}},
        {"url": "https://example.com/", "headers": {"A\r\nB": "x"}},
        {"url": "https://example.com/", "headers": {"A": "x\r\nB: y"}},
        {"url": "https://example.com/", "body": {"a": 1}},
        {"url": "https://example.com/", "rows": "a..b"},
        {"url": "https://example.com/", "paging": "all"},
        {"url": "https://example.com/", "unknown": 1},
        {"url": "https://example.com/", "max_pages": 10**9},
        {},
    ],
)
def test_settings_that_can_never_work_are_refused_before_anybody_is_asked(given: dict[str, Any]) -> None:
    with pytest.raises((InvalidSource, AddressRefused)):
        fetch("rest", given, "s3cret")


def test_a_next_page_that_is_no_address_is_told() -> None:
    bad = said(records(), Link='<http://[bad/>; rel="next"')
    with web_server(lambda _: bad) as server, pytest.raises(AddressRefused, match="no address"):
        fetch("rest", {"url": server.url, "paging": "link"})


def test_nobody_there_is_told(settings: Settings) -> None:
    with web_server(lambda _: Said()) as server:
        pass
    with pytest.raises(AddressUnreachable):
        fetch("rest", {"url": server.url}, sample=20)
