"""The monitoring page of a model."""

import pytest
from django.test import Client

from mlplatform.tenancy.models import Role, Tenant
from monitoring.admin.measured import tabs
from tests.conftest import ConsoleFor
from tests.console import Furnished, furnish


@pytest.fixture
def furnished(tenant: Tenant) -> Furnished:
    return furnish(tenant)


@pytest.fixture
def client(furnished: Furnished, console_for: ConsoleFor) -> Client:
    return console_for(furnished.tenant, Role.VIEWER)


def page(client: Client, furnished: Furnished, query: str) -> str:
    return client.get(
        f"/admin/registry/registeredmodel/{furnished.model.pk}/monitoring/?{query}"
    ).content.decode()


def test_quality_shows_metrics_intervals_versions_and_the_trend(client: Client, furnished: Furnished) -> None:
    shown = page(client, furnished, "tab=quality&period=month")
    assert "40 outcomes" in shown
    assert "Matthews correlation" in shown
    assert "F1 (macro) over time" in shown


def test_every_tab_says_what_to_do_where_nothing_is_known(client: Client, furnished: Furnished) -> None:
    for slug in tabs:
        shown = page(client, furnished, f"tab={slug}&since=2020-01-01&until=2020-01-03")
        assert "c-empty" in shown, slug
        assert "From 2020-01-01 00:00 to 2020-01-04 00:00 UTC" in shown


@pytest.mark.parametrize(
    "query", ["since=yesterday", "since=2026-02-31", "since=2026-01-02&until=2025-01-01"]
)
def test_a_period_that_is_none_is_said_so(client: Client, furnished: Furnished, query: str) -> None:
    address = f"/admin/registry/registeredmodel/{furnished.model.pk}/monitoring/?{query}"
    told = client.get(address, follow=True).content.decode()
    assert "is no day" in told or "ends before" in told


def test_drift_over_a_period_is_told_in_words_and_pictures(client: Client, furnished: Furnished) -> None:
    shown = page(client, furnished, "tab=drift&period=month")
    assert "Inputs against training" in shown
    assert "Every measure" in shown
    assert "<svg" in shown


def test_quality_tells_of_concept_drift(client: Client, furnished: Furnished) -> None:
    shown = page(client, furnished, "tab=quality&period=month")
    assert "Concept drift" in shown
    assert "No rise of the errors over 42 outcomes" in shown
