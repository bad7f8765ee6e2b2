"""Rows of a web service, page by page."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

import httpx
import pandas as pd
from msgspec import Meta, Struct

from mlplatform.outbound.connect import cut_after
from mlplatform.outbound.http import (
    NO_PROOF,
    Place,
    Proof,
    demand_encryption,
    followed,
    guarded_client,
    place_of,
    without_params,
)
from registry.models import RegisteredModel
from training.errors import InvalidSource, SourceRefused
from training.sources.asking import Answer, ask
from training.sources.budget import Budget
from training.sources.gathering import Gathering
from training.sources.json_path import NOTHING, at_path, is_path

Text = Annotated[str, Meta(max_length=200)]
OURS = frozenset(
    {
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "cookie",
        "host",
        "proxy-authorization",
        "transfer-encoding",
    }
)
# Parameters that hold a credential whatever the service is.
SECRET_PARAMS = frozenset(
    {"api_key", "apikey", "access_token", "auth_token", "token", "secret", "client_secret", "password"}
)
NAME = re.compile(r"[A-Za-z0-9_.\-\[\]$]{1,100}")
MOST_HEADERS, MOST_BODY = 20, 20_000
NAME_SIGNS = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


class RestSettings(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Which address is asked, how, and where in its answers the rows are.

    ``rows`` is the path to the list of rows, empty where the answer is the list. ``paging``: ``page`` counts
    pages, ``offset`` counts rows, ``cursor`` sends on what stands at ``cursor_path``, ``link`` follows the
    Link header (RFC 8288). The credential goes as bearer token, basic password, in ``auth_header``, or as the
    parameter ``auth_param`` of the address, which it joins where the request leaves and nowhere else.
    """

    url: Annotated[str, Meta(min_length=1, max_length=2_000)]
    method: Literal["GET", "POST"] = "GET"
    body: dict[str, Any] | None = None
    headers: dict[str, Text] = {}
    auth: Literal["none", "bearer", "basic", "header", "query"] = "none"
    auth_header: Text = "X-API-Key"
    auth_param: Text = "api_key"
    username: Text = ""
    rows: Text = ""
    paging: Literal["none", "page", "offset", "cursor", "link"] = "none"
    page_param: Text = "page"
    first_page: Annotated[int, Meta(ge=0, le=1)] = 1
    offset_param: Text = "offset"
    size_param: Text = ""
    size: Annotated[int, Meta(ge=1, le=100_000)] = 100
    cursor_param: Text = "cursor"
    cursor_path: Text = "next"
    max_pages: Annotated[int, Meta(ge=1, le=100_000)] = 1_000

    def check(self) -> None:
        """Raise InvalidSource or AddressRefused for what can never work, without asking anybody."""
        place = place_of(self.url)
        for field in ("rows", "cursor_path"):
            if not is_path(getattr(self, field)):
                raise _wrong(field, "Write a path with dots, for example data.items.")
        _check_headers(self.headers)
        if self.auth == "header":
            _check_headers({self.auth_header: "x"}, field="auth_header")
        _check_params(self)
        if self.auth != "none":
            demand_encryption(place)
        if self.body is not None and len(json.dumps(self.body)) > MOST_BODY:
            raise _wrong("body", f"The body has more than {MOST_BODY:,} characters.")
        if self.body is not None and self.method == "GET":
            raise _wrong("body", "GET sends no body. Choose POST, or leave it out.")

    def destination(self) -> tuple[Any, ...]:
        """Return what the credential is for: where any of it changes, the credential is asked for anew."""
        name = self.auth_param if self.auth == "query" else self.auth_header.lower()
        return (place_of(self.url), self.auth, name, self.username)

    def place(self) -> str:
        """Return where the rows come from, for people; without parameters, which may hold values."""
        return self.url.partition("?")[0]


def fetch(
    settings: RestSettings, secret: str, budget: Budget, model: RegisteredModel | None = None
) -> pd.DataFrame:
    """Ask page after page and return their rows.

    Raises AddressRefused, AddressUnreachable, InvalidSource, SourceRefused or SourceDown.
    """
    settings.check()
    gathering = Gathering(budget, weigh=False)
    with cut_after(budget.left()) as cutter, guarded_client(cutter=cutter) as client:
        for answer in _pages(settings, secret, budget, client):
            rows = rows_of(answer.json(), settings.rows)
            gathering.add_records(rows)
            if budget.is_full:
                break
    return gathering.frame()


def rows_of(answer: Any, path: str) -> list[Any]:
    """Return the rows at the path; raises SourceRefused where there is no list."""
    found = at_path(answer, path)
    if isinstance(found, list):
        return found
    where = f"At {path!r}" if path else "In the answer"
    lists = (
        [name for name, value in answer.items() if isinstance(value, list)]
        if isinstance(answer, dict)
        else []
    )
    hint = f" Lists stand at: {', '.join(lists[:10])}." if lists else ""
    raise SourceRefused(
        f"{where} stands no list of rows.{hint} Give the path to them, for example data.items."
    )


def _pages(settings: RestSettings, secret: str, budget: Budget, client: httpx.Client) -> Iterator[Answer]:
    first = place_of(settings.url)
    url, params, seen = settings.url, _first_params(settings), 0
    for number in range(settings.max_pages):
        answer = _ask(settings, _proof(settings, secret), budget, client, url, params, first)
        yield answer
        seen, before = budget.rows_taken, seen
        step = _next(settings, answer, number, seen, grew=seen > before)
        if step is None:
            return
        if step == (url, params):
            raise SourceRefused("The service names the same page as the next one again and again.")
        url, params = step
    raise SourceRefused(
        f"There are more than {settings.max_pages:,} pages. Ask for larger ones, or allow more.",
        code="source_too_large",
    )


def _ask(
    settings: RestSettings,
    proof: Proof,
    budget: Budget,
    client: httpx.Client,
    url: str,
    params: Mapping[str, str],
    first: Place,
) -> Answer:
    headers = {"Accept": "application/json", "Accept-Encoding": "identity", **settings.headers}
    content = None
    if settings.method == "POST":
        content = json.dumps({**(settings.body or {}), **params}).encode()
        headers["Content-Type"] = "application/json"
    elif params:
        url = str(httpx.URL(url).copy_merge_params(params))
    return ask(
        client,
        budget,
        method=settings.method,
        url=url,
        headers=headers,
        # The next page's address is the service's own word: a credential goes no further than its host.
        proof=proof if place_of(url) == first else NO_PROOF,
        content=content,
    )


def _first_params(settings: RestSettings) -> dict[str, str]:
    sized = {settings.size_param: str(settings.size)} if settings.size_param else {}
    if settings.paging == "page":
        return {**sized, settings.page_param: str(settings.first_page)}
    if settings.paging == "offset":
        return {**sized, settings.offset_param: "0"}
    return sized


def _next(
    settings: RestSettings, answer: Answer, number: int, taken: int, *, grew: bool
) -> tuple[str, dict[str, str]] | None:
    """Return address and parameters of the next page, or None after the last one."""
    params = _first_params(settings)
    if settings.paging == "link":
        link = answer.links.get("next", {}).get("url")
        secret = [settings.auth_param] if settings.auth == "query" else []
        return (without_params(followed(settings.url, link), secret), {}) if link else None
    if settings.paging == "cursor":
        cursor = at_path(answer.json(), settings.cursor_path)
        if cursor is NOTHING or cursor in (None, "", False):
            return None
        if not isinstance(cursor, str | int):
            raise SourceRefused(f"At {settings.cursor_path!r} stands no cursor. Give the path to it.")
        return settings.url, {**params, settings.cursor_param: str(cursor)}
    if not grew or settings.paging == "none":
        return None
    counted = {settings.page_param: settings.first_page + number + 1, settings.offset_param: taken}
    name = settings.page_param if settings.paging == "page" else settings.offset_param
    return settings.url, {**params, name: str(counted[name])}


def _proof(settings: RestSettings, secret: str) -> Proof:
    if settings.auth == "none":
        return NO_PROOF
    if not secret or not secret.isprintable() or not secret.isascii():
        raise _wrong(
            "secret", "The credential is missing, or holds what no request can carry. Enter it again."
        )
    if settings.auth == "bearer":
        return Proof({"Authorization": f"Bearer {secret}"})
    if settings.auth == "header":
        return Proof({settings.auth_header: secret})
    if settings.auth == "query":
        return Proof(params={settings.auth_param: secret})
    pair = b64encode(f"{settings.username}:{secret}".encode()).decode()
    return Proof({"Authorization": f"Basic {pair}"})


def _check_params(settings: RestSettings) -> None:
    """Raise InvalidSource for a credential in the address, which everybody sees who sees the source."""
    given = set(httpx.URL(settings.url).params)
    secret = next((name for name in sorted(given) if name.lower().replace("-", "_") in SECRET_PARAMS), None)
    if secret is not None:
        raise _wrong(
            "url",
            f"Leave {secret[:40]!r} out of the address, which others see: choose the credential as a "
            "parameter of the address (auth: query), name it in auth_param and enter it as the secret.",
        )
    if settings.auth != "query":
        return
    if not NAME.fullmatch(settings.auth_param):
        raise _wrong("auth_param", "Give the parameter's name alone, for example api_key.")
    sent = {settings.page_param, settings.offset_param, settings.size_param, settings.cursor_param}
    if settings.auth_param in given | (sent if settings.paging != "none" else set()):
        raise _wrong("auth_param", "The address has a parameter of this name already. Leave it out there.")


def _check_headers(headers: Mapping[str, str], field: str = "headers") -> None:
    if len(headers) > MOST_HEADERS:
        raise _wrong(field, f"Give at most {MOST_HEADERS} headers.")
    for name, value in headers.items():
        if not name or not set(name) <= NAME_SIGNS or not value.isprintable() or not value.isascii():
            raise _wrong(field, f"{name[:40]!r} is no header, or its value holds what a header cannot carry.")
        if name.lower() in OURS:
            raise _wrong(field, f"The header {name} is not given here: secrets go in as the credential.")


def _wrong(field: str, sentence: str) -> InvalidSource:
    return InvalidSource(sentence, fields={field: [sentence]})
