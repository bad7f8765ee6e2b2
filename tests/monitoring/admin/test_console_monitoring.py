"""Alerts, rules, policies and checks in the console."""

import pytest

from mlplatform.admin.links import page_url
from mlplatform.tenancy.models import Role, Tenant
from monitoring.models import (
    Alert,
    AlertRule,
    DriftReport,
    DriftSettings,
    RetrainingDecision,
    RetrainingPolicy,
)
from monitoring.models.alert import AlertState
from tests.conftest import ConsoleFor
from tests.console import Furnished, furnish
from tests.plugins.application_role import whole_database

ALERTS = "/admin/monitoring/alert/"
RULES = "/admin/monitoring/alertrule/"
MODELS = "/admin/registry/registeredmodel/"


@pytest.fixture
def furnished(tenant: Tenant) -> Furnished:
    return furnish(tenant)


def test_an_alert_is_acknowledged_then_resolved_with_a_reason(
    furnished: Furnished, console_for: ConsoleFor
) -> None:
    client = console_for(furnished.tenant, Role.OPERATOR)
    with whole_database():
        alert = Alert.all_tenants.first()
    assert alert is not None
    client.post(f"{ALERTS}{alert.pk}/acknowledge/")
    with whole_database():
        alert.refresh_from_db()
    assert (alert.state, alert.acknowledged_by) == (AlertState.ACKNOWLEDGED, "operator@clinic.example")
    client.post(f"{ALERTS}{alert.pk}/resolve/", {"reason": "New scanner"})
    with whole_database():
        alert.refresh_from_db()
    assert alert.state == AlertState.RESOLVED


def test_resolved_alerts_come_after_open_ones(furnished: Furnished, console_for: ConsoleFor) -> None:
    with whole_database():
        newest = Alert.all_tenants.order_by("-pk").first()
    assert newest is not None
    copies = {
        field: getattr(newest, field) for field in ("tenant_id", "model_id", "title", "message", "severity")
    }
    with whole_database():
        Alert.all_tenants.create(
            **copies | {"title": "settled", "state": AlertState.RESOLVED, "last_seen_at": newest.last_seen_at}
        )
    page = console_for(furnished.tenant).get(ALERTS).content.decode()
    assert page.index(newest.title) < page.index("settled")


def test_selected_alerts_of_others_are_left_alone(
    furnished: Furnished, other_tenant: Tenant, console_for: ConsoleFor
) -> None:
    with whole_database():
        keys = list(Alert.all_tenants.values_list("pk", flat=True))
    form = {"action": "resolve_selected", "_selected_action": keys, "select_across": "1"}
    console_for(other_tenant).post(ALERTS, form)
    with whole_database():
        assert not Alert.all_tenants.filter(state=AlertState.RESOLVED).exists()


def test_an_acknowledged_alert_is_refused_a_second_time(
    furnished: Furnished, console_for: ConsoleFor
) -> None:
    client = console_for(furnished.tenant)
    with whole_database():
        form = {
            "action": "acknowledge_selected",
            "_selected_action": list(Alert.all_tenants.values_list("pk", flat=True)),
        }
    client.post(ALERTS, form)
    assert "already" in client.post(ALERTS, form, follow=True).content.decode()


def test_a_rule_is_written_changed_and_deleted(furnished: Furnished, console_for: ConsoleFor) -> None:
    client = console_for(furnished.tenant)
    form = {
        "metric": "performance",
        "threshold": 0.8,
        "severity": "info",
        "cooldown_minutes": 5,
        "minimum_rows": 10,
    }
    client.post(f"{RULES}add/", {**form, "model": furnished.model.pk, "enabled": "on"})
    with whole_database():
        rule = AlertRule.all_tenants.get(severity="info")
    client.post(f"{RULES}{rule.pk}/edit/", {**form, "threshold": 0.7})
    with whole_database():
        rule.refresh_from_db()
    assert (rule.threshold, rule.enabled) == (0.7, False)
    client.post(f"{RULES}{rule.pk}/remove/")
    with whole_database():
        assert not AlertRule.all_tenants.filter(pk=rule.pk).exists()


def test_a_rule_for_another_tenants_model_is_refused(
    furnished: Furnished, other_tenant: Tenant, console_for: ConsoleFor
) -> None:
    form = {"model": furnished.model.pk, "metric": "drift_share", "threshold": 0.1, "severity": "info"}
    page = console_for(other_tenant).post(
        f"{RULES}add/", {**form, "cooldown_minutes": 5, "minimum_rows": 10, "enabled": "on"}
    )
    assert "Select a valid choice" in page.content.decode()


def test_a_rule_that_exists_is_said_so(furnished: Furnished, console_for: ConsoleFor) -> None:
    with whole_database():
        rule = AlertRule.all_tenants.first()
    assert rule is not None
    names = ("metric", "threshold", "severity", "cooldown_minutes", "minimum_rows")
    form = {"model": rule.model_id} | {name: getattr(rule, name) for name in names}
    page = console_for(furnished.tenant).post(f"{RULES}add/", form)
    assert "a rule of this metric, severity" in page.content.decode()


def test_the_policy_is_reached_from_the_model_and_edited(
    furnished: Furnished, console_for: ConsoleFor
) -> None:
    client = console_for(furnished.tenant)
    address = client.post(f"{MODELS}{furnished.model.pk}/policy/")["Location"]
    assert "Retrain by itself" in client.get(address).content.decode()
    form = {"minimum_outcomes": 10, "cooldown_minutes": 0, "on_success": "tell", "on_drift": "on"}
    client.post(address, form)
    with whole_database():
        policy = RetrainingPolicy.all_tenants.get()
    assert (policy.enabled, policy.minimum_outcomes, policy.on_success) == (False, 10, "tell")


def test_checks_run_from_the_models_page_and_say_what_they_found(
    furnished: Furnished, console_for: ConsoleFor
) -> None:
    page = console_for(furnished.tenant).post(f"{MODELS}{furnished.model.pk}/check/", follow=True)
    text = page.content.decode()
    assert "was checked" in text
    assert "Drift:" in text


def test_a_drift_report_shows_each_feature_then_and_now(
    furnished: Furnished, console_for: ConsoleFor
) -> None:
    with whole_database():
        report = DriftReport.all_tenants.first()
    assert report is not None
    page = (
        console_for(furnished.tenant)
        .get(f"/admin/monitoring/driftreport/{report.pk}/change/")
        .content.decode()
    )
    assert page.count("training and now") >= report.features


def test_a_decision_links_its_alert(furnished: Furnished, console_for: ConsoleFor) -> None:
    with whole_database():
        decision = RetrainingDecision.all_tenants.first()
    assert decision is not None
    page = console_for(furnished.tenant).get(f"/admin/monitoring/retrainingdecision/{decision.pk}/change/")
    assert f"{ALERTS}{decision.alert_id}/change/" in page.content.decode()


def test_the_rule_of_drift_alarms_is_chosen_on_a_form(furnished: Furnished, console_for: ConsoleFor) -> None:
    client = console_for(furnished.tenant, Role.OPERATOR)
    page = f"{MODELS}{furnished.model.pk}/drift-settings/"
    assert "False alarms a month" in client.get(page).content.decode()
    form = {"rule": "classic", "false_alarms_a_month": 1, "psi_limit": 0.25, "drift_share": 0.3}
    refused = client.post(page, {**form, "drift_share": 3}).content.decode()
    assert "less than or equal to 1" in refused
    client.post(page, form)
    with whole_database():
        assert DriftSettings.all_tenants.get().terms == {
            "rule": "classic", "psi_limit": 0.25, "drift_share": 0.3,
        }  # fmt: skip


def test_a_drift_report_says_in_words_what_moved_and_which_rule_spoke(
    furnished: Furnished, console_for: ConsoleFor
) -> None:
    with whole_database():
        report = DriftReport.all_tenants.first()
    assert report is not None
    page = console_for(furnished.tenant).get(page_url(report)).content.decode()
    assert "which hold 1 false alarm a month" in page
    assert "The middle value went up" in page
    assert "Wasserstein (in deviations)" in page
    assert 'class="c-bar c-reference"' in page
