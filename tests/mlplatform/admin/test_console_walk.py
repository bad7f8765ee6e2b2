"""Every page and command of the console, walked as anonymous, as a viewer and as an outsider."""

from collections.abc import Iterator

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.commands import Command
from mlplatform.admin.links import page_url
from mlplatform.admin.site import console
from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.permissions import ADMIN_ONLY, Capability
from tests.conftest import ConsoleFor
from tests.console import WITH_PAGES, Furnished, furnish

OWNER_TABLES = {"tenancy.tenant", "tenancy.user", "identity.claimmapping"}
VIEWABLE = [table for table in WITH_PAGES if table._meta.label_lower not in ADMIN_ONLY]


@pytest.fixture
def furnished(tenant: Tenant) -> Furnished:
    return furnish(tenant)


def _admins() -> Iterator[tuple[type[Model], PlatformModelAdmin]]:
    for table, page_admin in console._registry.items():
        assert isinstance(page_admin, PlatformModelAdmin)
        yield table, page_admin


def _list(table: type[Model], action: str = "changelist") -> str:
    return reverse(f"admin:{table._meta.app_label}_{table._meta.model_name}_{action}")


def _command(row: Model, command: Command) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{command.slug}", args=[row.pk])


def _commands() -> list[tuple[type[Model], Command]]:
    return [
        (table, command)
        for table, page_admin in _admins()
        for command in page_admin.all_commands()
        if table._meta.label_lower not in OWNER_TABLES
    ]


def test_the_walk_covers_every_registered_table() -> None:
    walked = {table._meta.label_lower for table in WITH_PAGES} | OWNER_TABLES
    assert {table._meta.label_lower for table, _ in _admins()} == walked


def test_every_page_opens_for_an_admin(furnished: Furnished, console_for: ConsoleFor) -> None:
    client = console_for(furnished.tenant)
    for table in WITH_PAGES:
        assert client.get(_list(table)).status_code == 200, table
        assert client.get(page_url(furnished.newest(table))).status_code == 200, table


def test_every_page_but_the_admins_own_opens_for_a_viewer(
    furnished: Furnished, console_for: ConsoleFor
) -> None:
    client = console_for(furnished.tenant, Role.VIEWER)
    for table in WITH_PAGES:
        expected = 403 if table._meta.label_lower in ADMIN_ONLY else 200
        assert client.get(_list(table)).status_code == expected, table
        assert client.get(page_url(furnished.newest(table))).status_code == expected, table


def test_every_search_and_empty_filter_works(furnished: Furnished, console_for: ConsoleFor) -> None:
    client = console_for(furnished.tenant)
    for table in WITH_PAGES:
        assert client.get(f"{_list(table)}?q=anything").status_code == 200, table


def test_a_viewer_may_run_no_command_and_add_nothing(furnished: Furnished, console_for: ConsoleFor) -> None:
    client = console_for(furnished.tenant, Role.VIEWER)
    for table, command in _commands():
        if command.capability is Capability.VIEW:
            continue
        answer = client.post(_command(furnished.newest(table), command))
        assert answer.status_code == 403, (table, command.slug)
    for table in WITH_PAGES:
        assert client.get(_list(table, "add")).status_code == 403, table


def test_a_viewer_is_offered_no_command(furnished: Furnished, console_for: ConsoleFor) -> None:
    client = console_for(furnished.tenant, Role.VIEWER)
    for table, command in _commands():
        if table in VIEWABLE and command.capability is not Capability.VIEW:
            row = furnished.newest(table)
            assert _command(row, command) not in _without_fragments(client, row), (table, command.slug)


def test_another_tenants_rows_are_missing_everywhere(
    furnished: Furnished, other_tenant: Tenant, console_for: ConsoleFor
) -> None:
    client = console_for(other_tenant)
    for table in WITH_PAGES:
        row = furnished.newest(table)
        page = client.get(page_url(row))
        assert page.status_code == 302, table
        assert page["Location"] == "/admin/"
    for table, command in _commands():
        address = _command(furnished.newest(table), command)
        assert client.post(address).status_code == 404, (table, command.slug)


def test_another_tenants_names_are_in_no_list(
    furnished: Furnished, other_tenant: Tenant, console_for: ConsoleFor
) -> None:
    client = console_for(other_tenant)
    for table in WITH_PAGES:
        page = client.get(_list(table)).content.decode()
        assert "North Clinic" not in page, table
        assert "clinic.example" not in page, table
        assert page_url(furnished.newest(table)) not in page, table


def test_nobody_gets_in_without_signing_in(furnished: Furnished) -> None:
    client = Client()
    for table in WITH_PAGES:
        for address in (_list(table), page_url(furnished.newest(table))):
            assert client.get(address)["Location"].startswith("/admin/login/"), table
    for table, command in _commands():
        assert client.post(_command(furnished.newest(table), command)).status_code == 302


def test_commands_that_act_at_once_need_a_post(furnished: Furnished, console_for: ConsoleFor) -> None:
    client = console_for(furnished.tenant)
    for table, command in _commands():
        if command.post:
            answer = client.get(_command(furnished.newest(table), command))
            assert answer.status_code == 405, (table, command.slug)


def test_commands_need_the_csrf_token(furnished: Furnished, console_for: ConsoleFor) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = console_for(furnished.tenant).cookies
    for table, command in _commands():
        assert strict.post(_command(furnished.newest(table), command)).status_code == 403


def _without_fragments(client: Client, row: Model) -> str:
    # The progress of a job is fetched by the page itself, by whoever may see it.
    return client.get(page_url(row)).content.decode().replace("hx-get", "").replace("/progress/", "")
