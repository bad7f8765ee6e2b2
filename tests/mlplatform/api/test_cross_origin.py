"""Pages of other sites: the chosen ones may call the API with a token, none with a person's cookie."""

import pytest
from django.test import Client
from pytest_django import Settings

from mlplatform.tenancy.models import Tenant
from tests.conftest import ApiFor, ConsoleFor

SHOP, WHOAMI = "https://shop.example.com", "/api/v1/whoami"
ALLOWED = "Access-Control-Allow-Origin"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}


@pytest.fixture
def shop(settings: Settings) -> str:
    settings.CORS_ALLOWED_ORIGINS = [SHOP]
    return SHOP


def test_no_other_site_is_allowed_unless_named(tenant: Tenant, api_for: ApiFor) -> None:
    answer = api_for(tenant).get(WHOAMI, headers={"Origin": SHOP})
    assert ALLOWED not in answer.headers


def test_named_site_may_ask_and_read_the_answer(tenant: Tenant, api_for: ApiFor, shop: str) -> None:
    asked = Client().options("/api/v1/tokens", headers={"Origin": shop, **PREFLIGHT})
    assert asked.headers[ALLOWED] == shop
    assert "authorization" in asked.headers["Access-Control-Allow-Headers"]
    answer = api_for(tenant).get(WHOAMI, headers={"Origin": shop})
    assert answer.headers[ALLOWED] == shop
    assert "X-Request-ID" in answer.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize(
    "origin", [f"{SHOP}.evil.example", "http://shop.example.com", f"{SHOP}:8443", "null"]
)
def test_similar_sites_are_others(tenant: Tenant, api_for: ApiFor, shop: str, origin: str) -> None:
    assert ALLOWED not in api_for(tenant).get(WHOAMI, headers={"Origin": origin}).headers


def test_no_site_may_send_a_persons_cookie(tenant: Tenant, console_for: ConsoleFor, shop: str) -> None:
    answer = console_for(tenant).get(WHOAMI, headers={"Origin": shop})
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_the_console_is_closed_to_other_sites(tenant: Tenant, console_for: ConsoleFor, shop: str) -> None:
    assert ALLOWED not in console_for(tenant).get("/admin/", headers={"Origin": shop}).headers
