"""Data sources in the console."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from mlplatform.admin.links import add_url, command_url, page_url
from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from tests.conftest import ConsoleFor
from tests.factories import table
from tests.training.sources.tls_servers import authority
from tests.web import Said, WebServer, web_server
from training.models import DataSource

SECRET = "a-secret-nobody-may-see"
PAGES = {"paging": "none", "first_page": 1, "size": 100, "max_pages": 10}


@pytest.fixture
def server(settings: Settings) -> Iterator[WebServer]:
    """A service that gives rows."""
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]
    body = table()[["mean_radius", "diagnosis"]].to_json(orient="records").encode()
    with web_server(lambda _: Said(body=body)) as served:
        yield served


def newest(tenant: Tenant) -> DataSource:
    with tenant_scope(tenant), tenant_transaction():
        return DataSource.objects.order_by("-pk")[0]


def test_it_is_tried_saved_looked_at_and_read(
    tenant: Tenant, console_for: ConsoleFor, server: WebServer
) -> None:
    client = console_for(tenant, Role.ANALYST)
    chosen = client.post(add_url("training.datasource"), {"kind": "rest"})
    assert chosen["Location"] == add_url("training.datasource", kind="rest")
    given = {
        "name": "Registry",
        "url": server.url,
        "method": "GET",
        "auth": "bearer",
        "secret": SECRET,
        **PAGES,
    }
    tried = client.post(chosen["Location"], {**given, "try": "1"}).content.decode()
    assert "First rows" in tried
    assert "mean_radius (numeric" in tried
    with tenant_scope(tenant), tenant_transaction():
        assert not DataSource.objects.exists()
    saved = client.post(chosen["Location"], given)
    source = newest(tenant)
    assert saved["Location"] == page_url(source)
    assert SECRET not in client.get(saved["Location"]).content.decode()
    assert "First rows" in client.post(command_url(source, "preview")).content.decode()
    assert "/registry/dataset/" in client.post(command_url(source, "snapshot"))["Location"]
    page = client.get(page_url(source)).content.decode()
    assert "In order" in page
    assert SECRET not in client.get(command_url(source, "edit")).content.decode()
    changed = client.post(command_url(source, "edit"), {**given, "secret": "", "name": "Later"})
    assert (changed.status_code, newest(tenant).name) == (302, "Later")


def test_a_source_that_gives_no_rows_is_on_the_dashboard(tenant: Tenant, console_for: ConsoleFor) -> None:
    client = console_for(tenant, Role.ANALYST)
    with tenant_scope(tenant), tenant_transaction():
        place = {"url": "http://127.0.0.1:9999/"}
        source = DataSource.objects.create(name="Registry", kind="rest", settings=place)
    refused = client.post(command_url(source, "snapshot"), follow=True).content.decode()
    assert "leads to an address inside" in refused
    assert "Did not answer" in client.get(page_url(source)).content.decode()
    assert "Source Registry gave no rows" in client.get("/admin/").content.decode()


def test_what_is_wrong_stands_at_its_field(tenant: Tenant, console_for: ConsoleFor) -> None:
    client = console_for(tenant, Role.ANALYST)
    sql = {"name": "x", "engine": "postgresql", "host": "db.example.com", "database": "d", "tls": "verify"}
    page = client.post(add_url("training.datasource", kind="sql"), {**sql, "query": "drop table t"})
    assert "A source only reads" in page.content.decode()
    page = client.post(
        add_url("training.datasource", kind="sql"), {**sql, "query": "select :a", "params": "no pair"}
    )
    assert "one to a line" in page.content.decode()
    inside = {"name": "x", "url": "http://127.0.0.1/", "method": "GET", "auth": "none", "try": "1", **PAGES}
    page = client.post(add_url("training.datasource", kind="rest"), inside)
    assert "leads to an address inside" in page.content.decode()


def test_an_authority_is_given_as_text_and_shown_in_words(tenant: Tenant, console_for: ConsoleFor) -> None:
    client = console_for(tenant, Role.ANALYST)
    sql = {"name": "x", "engine": "postgresql", "host": "db.example.com", "database": "d", "tls": "verify"}
    sql |= {"query": "select 1 as a", "ca_certificate": authority().pem.replace("\n", "\r\n")}
    address = add_url("training.datasource", kind="sql")
    refused = client.post(address, {**sql, "ca_certificate": "clinic"}).content.decode()
    assert "This is no certificate in PEM form" in refused
    assert client.post(address, sql).status_code == 302
    page = client.get(page_url(newest(tenant))).content.decode()
    assert "CN=clinic, until" in page
    assert "BEGIN CERTIFICATE" not in page


@pytest.mark.parametrize("kind", ["sql", "rest", "s3", "predictions"])
def test_every_kind_has_a_form(tenant: Tenant, console_for: ConsoleFor, kind: str) -> None:
    client = console_for(tenant, Role.ANALYST)
    assert 'name="try"' in client.get(add_url("training.datasource", kind=kind)).content.decode()


def test_who_may_only_look_sees_no_button(tenant: Tenant, console_for: ConsoleFor) -> None:
    client = console_for(tenant, Role.VIEWER)
    assert client.get(add_url("training.datasource")).status_code == 403
