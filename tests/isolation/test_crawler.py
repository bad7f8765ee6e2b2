"""The crawler can fail: each kind of leak, planted in pages of the tests' own, is found and named."""

import base64
import io
import logging
import zipfile
from collections.abc import Iterator

import pytest
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.test import Client, override_settings
from django.urls import path

from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.urls import urlpatterns as real
from registry.models import RegisteredModel
from tests.isolation.crawler import Crawler
from tests.isolation.worlds import THEIRS, World


def theirs() -> tuple[Tenant, RegisteredModel]:
    tenant = Tenant.objects.get(pk__gt=THEIRS)
    with tenant_scope(tenant):
        return tenant, RegisteredModel.objects.get()


def in_body(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"<p>{theirs()[1].description}</p>")


def in_json(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"results": [{"id": theirs()[1].pk}]})


def in_header(request: HttpRequest) -> HttpResponse:
    return HttpResponse(headers={"X-Model": theirs()[1].name.upper()})


def in_cookie(request: HttpRequest) -> HttpResponse:
    answer = HttpResponse()
    answer.set_cookie("last", theirs()[1].name)
    return answer


def in_stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(iter([b"name\n", theirs()[1].name.encode()]))


def in_cursor(request: HttpRequest) -> HttpResponse:
    return HttpResponse(base64.urlsafe_b64encode(f"p={theirs()[1].name}".encode()))


def in_archive(request: HttpRequest) -> HttpResponse:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.jsonl", theirs()[1].name * 5)
    return HttpResponse(file.getvalue())


def in_log(request: HttpRequest) -> HttpResponse:
    logging.getLogger("leak").warning("saw %s", theirs()[1].name)
    return HttpResponse()


def with_commas(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{theirs()[1].pk:,}")


def breaks(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError


def writes(request: HttpRequest) -> HttpResponse:
    with tenant_scope(theirs()[0]):
        RegisteredModel.objects.update(description="ours now")
    return HttpResponse()


LEAKS = (
    in_body,
    in_json,
    in_header,
    in_cookie,
    in_stream,
    in_cursor,
    in_archive,
    in_log,
    with_commas,
    breaks,
)
urlpatterns = [*real, *(path(f"leaky/{view.__name__}", view) for view in (*LEAKS, writes))]


@pytest.fixture
def crawler(world: World) -> Iterator[Crawler]:
    found = Crawler(world, Client(), "nobody")
    with override_settings(ROOT_URLCONF=__name__), found.listening():
        yield found


@pytest.mark.parametrize("view", LEAKS, ids=lambda view: view.__name__)
def test_a_leak_is_found(view: object, crawler: Crawler) -> None:
    name = view.__name__  # type: ignore[attr-defined]
    crawler.get(f"/leaky/{name}")
    assert len(crawler.findings) == 1
    assert name in crawler.findings[0]


def test_what_was_found_is_named_by_its_place(crawler: Crawler) -> None:
    crawler.get("/leaky/in_body")
    assert "registry.RegisteredModel.description" in crawler.findings[0]


def test_a_write_over_the_wall_is_found(crawler: Crawler) -> None:
    with crawler.undone():
        crawler.get("/leaky/writes")
        assert crawler.world.changed() == ["registry.RegisteredModel"]


def test_the_echo_of_a_request_is_no_leak(crawler: Crawler) -> None:
    name = theirs()[1].name
    assert name in crawler.get(f"/api/v1/models/{name}?x={name}").content.decode() + name
    assert crawler.findings == []


def test_whoever_may_see_it_sees_it(world: World) -> None:
    """The tenant's own admin meets canaries on the way: the crawler is not blind."""
    with tenant_scope(world.theirs):
        model = RegisteredModel.objects.get()
    crawler = Crawler(world, Client(headers={"Authorization": f"Bearer {world.their_key}"}), "their key")
    for route in ("models", "datasets", "predictions", "jobs", "alerts", f"models/{model.name}/versions/1"):
        found = len(crawler.findings)
        crawler.get(f"/api/v1/{route}")
        assert len(crawler.findings) > found, route
