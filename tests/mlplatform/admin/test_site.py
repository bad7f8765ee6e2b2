"""The console's frame: what the sidebar, the switcher and the search offer."""

from mlplatform.tenancy.models import Role, Tenant
from tests.conftest import ConsoleFor
from tests.console import furnish


def test_a_viewer_is_offered_what_viewers_may_see(tenant: Tenant, console_for: ConsoleFor) -> None:
    page = console_for(tenant, Role.VIEWER).get("/admin/").content.decode()
    assert "/admin/registry/dataset/" in page
    assert "/admin/tenancy/apikey/" not in page
    assert "/admin/tenancy/tenant/" not in page


def test_what_waits_for_people_is_counted_beside_its_lists(tenant: Tenant, console_for: ConsoleFor) -> None:
    client = console_for(tenant)
    before = client.get("/admin/").content.decode().count("uppercase min-w-[18px]")
    furnish(tenant)
    after = client.get("/admin/").content.decode().count("uppercase min-w-[18px]")
    assert (before, after) == (0, 4)  # disputed labels and quarantines, too


def test_the_switcher_names_the_persons_other_tenants_only(
    tenant: Tenant, other_tenant: Tenant, console_for: ConsoleFor
) -> None:
    assert "Hill Winery" not in console_for(tenant).get("/admin/").content.decode()


def test_an_app_s_own_page_lists_its_tables(tenant: Tenant, console_for: ConsoleFor) -> None:
    page = console_for(tenant, Role.VIEWER).get("/admin/registry/")
    assert page.status_code == 200
    assert "Datasets" in page.content.decode()


def test_searching_for_a_table_finds_its_list(tenant: Tenant, console_for: ConsoleFor) -> None:
    page = console_for(tenant, Role.VIEWER).get("/admin/search/?s=prediction").content.decode()
    assert "/admin/registry/prediction/" in page


def test_an_unknown_address_is_missing(tenant: Tenant, console_for: ConsoleFor) -> None:
    assert console_for(tenant).get("/admin/registry/nothing/").status_code == 404
    assert console_for(tenant).get("/admin/r/1/1/").status_code == 404
