"""Lists asked in every way that an address allows, with what is theirs in each filter, search and column."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.admin.views.main import PAGE_VAR
from django.db.models import DateTimeField, ForeignKey
from drf_spectacular.generators import SchemaGenerator

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.links import list_url, page_url
from mlplatform.admin.site import console
from mlplatform.tenancy.models import TenantModel
from mlplatform.tenancy.walls import tenant_links
from registry.models import RegisteredModel
from tests.isolation.addresses import API, addresses, listed
from tests.isolation.crawler import Crawler
from tests.isolation.worlds import World

# Ways to ask through a relation for what is nobody's business.
ORACLES = (
    "tenant__slug",
    "tenant__slug__startswith",
    "tenant_id__gt",
    "model__tenant__name",
    "model__tenant__slug__startswith",
    "user__password__startswith",
    "user__memberships__tenant__slug",
    "created_by__password__startswith",
    "_to_field",
    "_popup",
)
as_admin = pytest.mark.parametrize("principal", ["admin"], indirect=True)
as_key = pytest.mark.parametrize("principal", ["key: read", "key: admin"], indirect=True)


def values_of_theirs(world: World) -> list[str]:
    """Return what an attacker might know of theirs: keys, names, a class, a case."""
    model, prediction = (world.row(table, theirs=True) for table in (RegisteredModel, tables()["prediction"]))
    known = [model.pk, model.name, prediction.pk, prediction.label, prediction.entity_key, world.theirs.slug]
    return [str(value) for value in known]


def tables() -> dict[str, type[TenantModel]]:
    """Return the tenants' tables that have pages, by their short name."""
    return {table._meta.model_name: table for table in console._registry if issubclass(table, TenantModel)}


@as_key
def test_filters_of_the_api_find_nothing_of_theirs(crawler: Crawler) -> None:
    generator: Any = SchemaGenerator
    paths: dict[str, Any] = generator().get_schema(request=None, public=True)["paths"]
    asked = 0
    for address in addresses():
        operation = paths.get(f"/{address.path}", {}).get("get")
        for parameter in (operation or {}).get("parameters", []):
            if parameter["in"] != "query":
                continue
            for value in values_of_theirs(crawler.world):
                query = urlencode({parameter["name"]: value})
                answer = crawler.get(f"{address.at(crawler.world)}?{query}")
                assert answer.status_code in {200, 400, 403, 404, 422}, (address.path, query)
                asked += 1
    assert asked > 300


@as_key
def test_the_api_takes_no_filter_through_a_relation(crawler: Crawler) -> None:
    names = {*ORACLES, "ordering", "fields", "tenant", "tenant_id"}
    query = urlencode(dict.fromkeys(names, crawler.world.theirs.slug))
    refused = []
    for path in listed():
        answer = crawler.get(f"/{API}{path}?{query}")
        if answer.status_code != 403:
            assert answer.status_code == 400, path
            assert names <= set(answer.json()["errors"]), path
            refused.append(path)
    assert len(refused) >= 3


def walled(model: Any) -> type[TenantModel]:
    """Return the table as what it is: a tenant's."""
    table: type[TenantModel] = model
    assert issubclass(table, TenantModel)
    return table


def questions(page: PlatformModelAdmin, world: World) -> Iterator[dict[str, str]]:
    """Yield every way to narrow down, search, sort and page through a list of the console."""
    yield from ({"q": value} for value in values_of_theirs(world)[:3])
    for entry in page.list_filter:
        name = entry if isinstance(entry, str) else entry[0]
        field = page.model._meta.get_field(name) if isinstance(name, str) else None
        if isinstance(field, ForeignKey):
            yield {f"{name}__id__exact": str(world.row(walled(field.related_model), theirs=True).pk)}
        elif field is not None:
            yield {f"{name}__exact": values_of_theirs(world)[1]}
            if isinstance(field, DateTimeField):
                yield {f"{name}__gte": "2026-01-17T06:38:25-20:42"}  # no clock is so far from UTC
    for link in tenant_links(walled(page.model)):
        yield {f"{link.name}__id__exact": str(world.row(walled(link.related_model), theirs=True).pk)}
    yield from ({name: world.theirs.slug} for name in ORACLES)
    yield from ({"all": "", "o": "-2.1"}, {PAGE_VAR: "x"}, {"o": "99.x"})


@as_admin
def test_lists_of_the_console_find_nothing_of_theirs(crawler: Crawler) -> None:
    for table, page in console._registry.items():
        assert isinstance(page, PlatformModelAdmin)
        if not issubclass(table, TenantModel):
            continue
        for question in questions(page, crawler.world):
            answer = crawler.get(f"{list_url(table._meta.label_lower)}?{urlencode(question)}")
            assert answer.status_code in {200, 302, 400}, (table, question)
    assert crawler.asked > 200


@as_admin
def test_selected_rows_of_theirs_are_left_alone(crawler: Crawler) -> None:
    for table, page in console._registry.items():
        if not issubclass(table, TenantModel):
            continue
        theirs = str(crawler.world.row(table, theirs=True).pk)
        for action in (*(page.actions or ()), "delete_selected"):
            for across in ("0", "1"):
                body = {
                    "action": action,
                    "_selected_action": [theirs],
                    "select_across": across,
                    "post": "yes",
                }
                with crawler.undone():
                    crawler.post_form(list_url(table._meta.label_lower), body)
                    assert crawler.world.changed() == [], (table, action)


@as_admin
def test_the_search_names_nothing_of_theirs(crawler: Crawler) -> None:
    for term in ("", "qanari", *values_of_theirs(crawler.world)):
        crawler.get(f"/admin/search/?{urlencode({'s': term})}")


@as_admin
def test_forms_offer_and_prefill_nothing_of_theirs(crawler: Crawler) -> None:
    for address in addresses():
        if address.of_api or not address.path.startswith("admin/"):
            continue
        keys = {name: str(crawler.world.row(table, theirs=True).pk) for name, table in tables().items()}
        given = {
            "model": keys["registeredmodel"],
            "dataset": keys["dataset"],
            "version": keys["modelversion"],
        }
        given |= {"member": keys["membership"], "prediction": keys["prediction"], "user": keys["membership"]}
        if address.path.endswith("/add/") or "{object_id}" in address.path:
            crawler.get(f"{address.at(crawler.world)}?{urlencode(given)}")


@as_admin
def test_their_row_answers_like_one_that_does_not_exist(crawler: Crawler) -> None:
    for table in tables().values():
        theirs, ours = crawler.world.row(table, theirs=True), crawler.world.row(table)
        missing = page_url(ours).replace(str(ours.pk), "01a1fd38-0000-7000-8000-000000000000")
        if str(ours.pk).isdecimal():
            missing = page_url(ours).replace(str(ours.pk), "999999999999999")
        foreign, absent = crawler.get(page_url(theirs)), crawler.get(missing)
        assert (foreign.status_code, foreign["Location"]) == (absent.status_code, absent["Location"]), table
