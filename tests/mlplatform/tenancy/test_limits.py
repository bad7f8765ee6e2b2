"""A tenant's limits: where they come from, who sets them, and where they are shown."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from mlplatform.errors import InvalidInput
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.limits import NAMES, limit_of
from mlplatform.tenancy.models import AuditEvent, Role, Tenant, Usage, User
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.limits import limits_in_use, set_limits
from mlplatform.tenancy.services.usage import take_room
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_dataset

LIMITS, PAGE = "/api/v1/limits", "/admin/tenancy/usage/"


@pytest.fixture
def owner(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("owner@platform.example", "a-Long-pass-9"))
    return client


def _fresh(tenant: Tenant) -> Tenant:
    return Tenant.objects.get(pk=tenant.pk)


def test_the_settings_hold_until_a_tenant_has_its_own(tenant: Tenant, settings: Settings) -> None:
    settings.LIMITS = dict.fromkeys(NAMES, 7)
    assert [limit_of(tenant, name) for name in NAMES] == [7] * 5
    limited = set_limits(tenant=tenant, changes={"stored_rows": 9}, by=SYSTEM)
    assert (limit_of(limited, "stored_rows"), limit_of(limited, "active_jobs")) == (9, 7)
    again = set_limits(tenant=tenant, changes={"stored_rows": None}, by=SYSTEM)
    assert limit_of(again, "stored_rows") == 7


@pytest.mark.parametrize("value", [0, -5, 10**15 + 1, 10**40])
def test_an_impossible_limit_is_refused(tenant: Tenant, value: int) -> None:
    with pytest.raises(InvalidInput, match="from 1 to") as refused:
        set_limits(tenant=tenant, changes={"stored_rows": value, "active_jobs": 3}, by=SYSTEM)
    assert list(refused.value.fields or ()) == ["stored_rows"]
    assert _fresh(tenant).active_jobs is None


def test_an_unknown_limit_is_refused(tenant: Tenant) -> None:
    with pytest.raises(InvalidInput, match="Unknown limits: is_active"):
        set_limits(tenant=tenant, changes={"is_active": 0}, by=SYSTEM)


def test_a_change_is_in_the_tenants_trail(tenant: Tenant) -> None:
    set_limits(tenant=tenant, changes={"stored_rows": 9}, by=SYSTEM)
    with tenant_scope(tenant), tenant_transaction():
        event = AuditEvent.objects.get(action="tenant.limited")
    assert (event.before, event.after) == ({"stored_rows": None}, {"stored_rows": 9})


def test_what_is_used_is_shown_beside_each_limit(in_tenant: Tenant) -> None:
    dataset = make_dataset()
    in_tenant.stored_rows = 5690
    shown = {one.kind.name: one for one in limits_in_use()}
    assert (shown["stored_rows"].used, shown["stored_rows"].limit) == (569, 5690)
    assert shown["stored_rows"].own
    assert shown["stored_rows"].share == pytest.approx(0.1)
    assert shown["storage_bytes"].used == dataset.size_bytes
    assert not shown["storage_bytes"].own
    assert shown["running_jobs"].used == shown["active_jobs"].used == 0


def test_before_anything_was_stored_nothing_is_used(in_tenant: Tenant) -> None:
    assert {one.used for one in limits_in_use()} == {0}


class TestApi:
    """GET /api/v1/limits."""

    def test_an_admin_sees_limits_and_use(self, tenant: Tenant, api_for: ApiFor) -> None:
        set_limits(tenant=tenant, changes={"active_jobs": 3}, by=SYSTEM)
        with tenant_scope(tenant), tenant_transaction():
            take_room(stored_rows=12)
        client = api_for(tenant, "admin")
        shown = {one["name"]: one for one in client.get(LIMITS).json()}
        assert list(shown) == list(NAMES)
        assert shown["active_jobs"] == {
            "name": "active_jobs",
            "title": "Training jobs, waiting and running",
            "limit": 3,
            "used": 0,
            "own": True,
        }
        assert shown["stored_rows"]["used"] == 12
        assert shown["requests_per_minute"]["used"] == 1

    def test_others_do_not(self, tenant: Tenant, api_for: ApiFor) -> None:
        assert api_for(tenant, "read", "predict", "train", "deploy").get(LIMITS).status_code == 403

    def test_another_tenants_use_is_not_in_it(
        self, tenant: Tenant, other_tenant: Tenant, api_for: ApiFor
    ) -> None:
        with tenant_scope(other_tenant), tenant_transaction():
            take_room(stored_rows=777)
        assert "777" not in api_for(tenant, "admin").get(LIMITS).content.decode()


class TestConsole:
    """The page of a tenant's admin, and the form of the platform's administrator."""

    def test_an_admin_sees_the_page_without_anything_stored(
        self, tenant: Tenant, console_for: ConsoleFor
    ) -> None:
        page = console_for(tenant).get(PAGE).content.decode()
        for words in ("Requests per minute", "Training jobs at once", "Stored rows", "Default"):
            assert words in page

    def test_the_row_that_the_trail_names_has_a_page(self, tenant: Tenant, console_for: ConsoleFor) -> None:
        with tenant_scope(tenant), tenant_transaction():
            take_room(stored_rows=12)
            usage = Usage.objects.get()
        assert "12" in console_for(tenant).get(f"{PAGE}{usage.pk}/change/").content.decode()

    def test_it_is_for_admins(self, tenant: Tenant, console_for: ConsoleFor) -> None:
        assert console_for(tenant, Role.APPROVER).get(PAGE).status_code == 403

    def test_the_platforms_administrator_sets_limits(self, tenant: Tenant, owner: Client) -> None:
        address = f"/admin/tenancy/tenant/{tenant.pk}/set-limits/"
        assert "Empty: 50.0 GB, as for every tenant." in owner.get(address).content.decode()
        answer = owner.post(address, {"requests_per_minute": "600", "storage_bytes": "1.5"})
        assert answer.status_code == 302
        limited = _fresh(tenant)
        assert (limited.requests_per_minute, limited.storage_bytes) == (600, 1_500_000_000)
        assert limited.stored_rows is None
        form = owner.get(address).content.decode()
        assert 'value="600"' in form
        assert 'value="1.5"' in form
        assert "own" in owner.get(f"/admin/tenancy/tenant/{tenant.pk}/change/").content.decode()

    @pytest.mark.parametrize("field", ["requests_per_minute", "storage_bytes", "stored_rows"])
    def test_nonsense_is_refused_in_the_form(self, tenant: Tenant, owner: Client, field: str) -> None:
        address = f"/admin/tenancy/tenant/{tenant.pk}/set-limits/"
        for nonsense in ("0", "-1", "much", "1e400", str(10**30)):
            assert owner.post(address, {field: nonsense}).status_code == 200, nonsense
        assert getattr(_fresh(tenant), field) is None

    def test_a_tenants_admin_may_not(self, tenant: Tenant, console_for: ConsoleFor) -> None:
        address = f"/admin/tenancy/tenant/{tenant.pk}/set-limits/"
        assert console_for(tenant).post(address, {"stored_rows": "9"}).status_code == 403
        assert _fresh(tenant).stored_rows is None


class TestCommand:
    """manage.py set_limits."""

    def _run(self, tenant: Tenant, *options: str) -> list[dict[str, Any]]:
        out = StringIO()
        call_command("set_limits", "--tenant", tenant.slug, "--json", *options, stdout=out)
        shown: list[dict[str, Any]] = json.loads(out.getvalue())
        return shown

    def test_shows_without_changing(self, tenant: Tenant) -> None:
        assert [one["name"] for one in self._run(tenant)] == list(NAMES)
        with tenant_scope(tenant), tenant_transaction():
            assert not AuditEvent.objects.filter(action="tenant.limited").exists()

    def test_sets_and_goes_back_to_the_default(self, tenant: Tenant) -> None:
        shown = self._run(tenant, "--stored-rows", "9", "--active-jobs", "3")
        assert [(one["limit"], one["own"]) for one in shown][2::2] == [(3, True), (9, True)]
        shown = self._run(tenant, "--default", "stored_rows")
        assert (shown[4]["limit"], shown[4]["own"]) == (100_000_000, False)
        assert _fresh(tenant).active_jobs == 3

    def test_recounts_and_tells_the_drift(self, tenant: Tenant) -> None:
        with tenant_scope(tenant), tenant_transaction():
            make_dataset()
            Usage.objects.update(stored_rows=600)
        shown = self._run(tenant, "--recount")
        assert (shown[4]["used"], shown[4]["was_off_by"]) == (569, 31)
        assert self._run(tenant, "--recount")[4]["was_off_by"] == 0

    @pytest.mark.parametrize("options", [("--stored-rows", "0"), ("--stored-rows", str(10**20))])
    def test_refuses_nonsense(self, tenant: Tenant, options: tuple[str, ...]) -> None:
        with pytest.raises(CommandError, match="from 1 to"):
            self._run(tenant, *options)
