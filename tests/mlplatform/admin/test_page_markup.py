"""No page of the console holds what its content policy would stop."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse

from mlplatform.admin.links import command_url, list_command_url, list_url, page_url
from mlplatform.admin.site import console
from mlplatform.tenancy.models import Tenant
from tests.conftest import ConsoleFor
from tests.console import WITH_PAGES, Furnished, furnish
from tests.markup import forbidden_in

WITHOUT_TENANT = ["/account/login/", "/set-password/MQ/nothing/", "/nothing-here"]


def addresses(furnished: Furnished) -> Iterator[str]:
    """Return the address of each list, object, history, form and command that answers a GET."""
    yield from ("/admin/", "/admin/password_change/", "/admin/nothing/", "/api/v1/docs/")
    for table in WITH_PAGES:
        page_admin = console._registry[table]
        label, row = table._meta.label_lower, furnished.newest(table)
        yield from (list_url(label), page_url(row))
        yield reverse(f"admin:{label.replace('.', '_')}_history", args=[row.pk])
        if page_admin.can_add:
            yield reverse(f"admin:{label.replace('.', '_')}_add")
        yield from (list_command_url(label, one.slug) for one in page_admin.list_commands if not one.post)
        yield from (command_url(row, one.slug) for one in page_admin.all_commands() if not one.post)


def test_no_page_has_a_script_a_handler_or_an_outside_address(
    tenant: Tenant, console_for: ConsoleFor
) -> None:
    client = console_for(tenant)
    pages = 0
    for address in addresses(furnish(tenant)):
        answer = client.get(address)
        assert answer.status_code < 500, address
        if answer.headers["Content-Type"].startswith("text/html") and answer.content:
            pages += 1
            assert forbidden_in(answer.content.decode()) == [], address
    assert pages > 3 * len(WITH_PAGES)


@pytest.mark.parametrize("address", WITHOUT_TENANT)
def test_neither_has_a_page_for_strangers(db: None, address: str) -> None:
    assert forbidden_in(Client().get(address).content.decode()) == []


@pytest.mark.parametrize(
    "page",
    [
        "<script>alert(1)</script>",
        "<p onclick='x()'>",
        "<svg><a href='java\nscript:x()'>",
        "<a href='//evil.example'>",
        "<img src=https://evil.example/x.png>",
        "<form action='data:text/html,x'>",
    ],
)
def test_what_the_policy_would_stop_is_found(page: str) -> None:
    assert len(forbidden_in(page)) == 1


def test_what_it_lets_through_is_not() -> None:
    fine = (
        '<script type="application/json">{}</script><script src="/static/x.js"></script><a href="?p=1">x</a>'
    )
    assert forbidden_in(fine) == []
