"""Promoting and rolling back in the console."""

import pytest

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import Deployment, ModelVersion
from registry.models.version import VersionStatus
from registry.services.promotion import champion_of, promote
from registry.services.requests import propose
from tests.conftest import ConsoleFor
from tests.factories import make_champion, make_version
from tests.plugins.application_role import whole_database

VERSIONS = "/admin/registry/modelversion/"
MODELS = "/admin/registry/registeredmodel/"


@pytest.fixture
def versions(tenant: Tenant) -> list[ModelVersion]:
    """A champion and a second version that is as good."""
    with tenant_scope(tenant), tenant_transaction():
        champion = make_champion()
        return [champion, make_version(champion.model, dataset=champion.dataset)]


def _champion(tenant: Tenant, version: ModelVersion) -> int:
    with tenant_scope(tenant):
        found = champion_of(version.model)
    assert found is not None
    return found.number


def test_the_confirmation_compares_both_and_runs_the_gates(
    tenant: Tenant, versions: list[ModelVersion], console_for: ConsoleFor
) -> None:
    page = console_for(tenant).get(f"{VERSIONS}{versions[1].pk}/promote/").content.decode()
    assert "v1 (champion)" in page
    assert "v2 (candidate)" in page
    assert "Not worse than the champion" in page


def test_looking_at_the_confirmation_changes_nothing(
    tenant: Tenant, versions: list[ModelVersion], console_for: ConsoleFor
) -> None:
    console_for(tenant).get(f"{VERSIONS}{versions[1].pk}/promote/")
    assert _champion(tenant, versions[0]) == 1


def test_a_promotion_is_made_with_its_reason(
    tenant: Tenant, versions: list[ModelVersion], console_for: ConsoleFor
) -> None:
    address = f"{VERSIONS}{versions[1].pk}/promote/"
    page = console_for(tenant, Role.OPERATOR).post(address, {"reason": "Steadier"}, follow=True)
    assert "is now the champion" in page.content.decode()
    assert _champion(tenant, versions[1]) == 2
    with tenant_scope(tenant):
        newest = Deployment.objects.first()
    assert newest is not None
    assert (newest.reason, newest.actor_label) == ("Steadier", "operator@clinic.example")


def test_an_override_without_a_reason_is_refused_in_the_form(
    tenant: Tenant, versions: list[ModelVersion], console_for: ConsoleFor
) -> None:
    page = console_for(tenant).post(f"{VERSIONS}{versions[1].pk}/promote/", {"override": "on"})
    assert "Say why the gates are passed over" in page.content.decode()
    assert _champion(tenant, versions[0]) == 1


def test_a_failed_version_cannot_be_promoted(
    tenant: Tenant, versions: list[ModelVersion], console_for: ConsoleFor
) -> None:
    with whole_database():
        ModelVersion.all_tenants.filter(pk=versions[1].pk).update(status=VersionStatus.FAILED)
    page = console_for(tenant).post(f"{VERSIONS}{versions[1].pk}/promote/", {"reason": "x"}, follow=True)
    assert "cannot run" in page.content.decode()
    assert _champion(tenant, versions[0]) == 1


def test_the_list_action_leads_to_the_confirmation(
    tenant: Tenant, versions: list[ModelVersion], console_for: ConsoleFor
) -> None:
    form = {"action": "promote_selected", "_selected_action": [versions[1].pk]}
    answer = console_for(tenant).post(VERSIONS, form)
    assert answer["Location"] == f"{VERSIONS}{versions[1].pk}/promote/"


def test_two_at_once_are_refused(
    tenant: Tenant, versions: list[ModelVersion], console_for: ConsoleFor
) -> None:
    form = {"action": "promote_selected", "_selected_action": [version.pk for version in versions]}
    assert "exactly one" in console_for(tenant).post(VERSIONS, form, follow=True).content.decode()


def test_an_analyst_is_offered_no_promotion(
    tenant: Tenant, versions: list[ModelVersion], console_for: ConsoleFor
) -> None:
    client = console_for(tenant, Role.ANALYST)
    assert "Promote to champion" not in client.get(VERSIONS).content.decode()
    assert client.post(f"{VERSIONS}{versions[1].pk}/promote/", {"reason": "x"}).status_code == 403


def test_a_foreign_selection_reaches_nothing(
    tenant: Tenant, other_tenant: Tenant, versions: list[ModelVersion], console_for: ConsoleFor
) -> None:
    form = {"action": "promote_selected", "_selected_action": [versions[1].pk], "select_across": "1"}
    page = console_for(other_tenant).post(VERSIONS, form, follow=True).content.decode()
    assert "cancer" not in page
    assert _champion(tenant, versions[0]) == 1


def test_a_rollback_offers_earlier_champions_only(
    tenant: Tenant, versions: list[ModelVersion], console_for: ConsoleFor
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        promote(model=versions[1].model, version=versions[1], by=SYSTEM, reason="x", override=True)
    client = console_for(tenant)
    address = f"{MODELS}{versions[0].model_id}/roll-back/"
    assert f'value="{versions[1].pk}"' not in client.get(address).content.decode()
    client.post(address, {"to": versions[0].pk, "reason": "Complaints"})
    assert _champion(tenant, versions[0]) == 1


def test_nothing_to_roll_back_to_shows_no_button(
    tenant: Tenant, versions: list[ModelVersion], console_for: ConsoleFor
) -> None:
    page = console_for(tenant).get(f"{MODELS}{versions[0].model_id}/change/").content.decode()
    assert "roll-back" not in page


def test_the_best_version_is_told_by_the_metric_that_is_chosen(
    tenant: Tenant, versions: list[ModelVersion], console_for: ConsoleFor
) -> None:
    first, second = versions
    with tenant_scope(tenant), tenant_transaction():
        metrics = {**second.metrics, "recall": 0.1, "accuracy": 1}
        assert ModelVersion.objects.filter(pk=second.pk).update(metrics=metrics) == 1
    viewer, address = console_for(tenant, Role.VIEWER), f"{MODELS}{first.model_id}/best/"
    assert 'value="recall"' in viewer.get(address).content.decode()
    assert "cancer v1" in viewer.post(address, {"metric": "recall"}).content.decode()
    assert "cancer v2" in viewer.post(address, {"metric": "accuracy"}).content.decode()
    assert "Select a valid choice" in viewer.post(address, {"metric": "luck"}).content.decode()


def test_a_proposal_is_told_to_whoever_opens_the_console_until_it_is_decided(
    tenant: Tenant, versions: list[ModelVersion], console_for: ConsoleFor
) -> None:
    with tenant_scope(tenant):
        made = propose(model=versions[1].model, version=versions[1], by=SYSTEM)
    approver = console_for(tenant)
    assert "cancer v2 waits for approval" in approver.get("/admin/").content.decode()
    address = f"/admin/registry/promotionrequest/{made.pk}/"
    assert "Decided" not in approver.get(f"{address}change/").content.decode()
    decided = approver.post(f"{address}approve/", {"reason": "Steadier"}, follow=True).content.decode()
    assert "Decided" in decided
    assert "waits for approval" not in approver.get("/admin/").content.decode()
