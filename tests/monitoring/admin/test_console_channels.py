"""Channels, deliveries and what people do about alerts, in the console."""

from collections.abc import Iterator

import pytest
from django.core import mail
from pytest_django import Settings

from mlplatform.tenancy.models import Membership, Role, Tenant
from monitoring.models import Alert, Channel, Delivery
from tests.conftest import ConsoleFor
from tests.console import Furnished, furnish
from tests.plugins.application_role import whole_database
from tests.web import Said, WebServer, web_server

ALERTS = "/admin/monitoring/alert/"
CHANNELS = "/admin/monitoring/channel/"
DELIVERIES = "/admin/monitoring/delivery/"
HEARS = {"least_severity": "info", "digest_hour": 7, "enabled": "on", "on_raised": "on"}


@pytest.fixture
def furnished(tenant: Tenant) -> Furnished:
    return furnish(tenant)


@pytest.fixture
def receiver(settings: Settings) -> Iterator[WebServer]:
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]
    with web_server(lambda _: Said(500, {}, b"full")) as server:
        yield server


def test_an_alert_is_snoozed_woken_and_assigned(furnished: Furnished, console_for: ConsoleFor) -> None:
    client = console_for(furnished.tenant, Role.OPERATOR)
    with whole_database():
        alert = Alert.all_tenants.latest("pk")
        me = Membership.all_tenants.get(user__email="operator@clinic.example")
    page = f"{ALERTS}{alert.pk}/change/"
    client.post(f"{ALERTS}{alert.pk}/snooze/", {"hours": 8, "reason": "Scanner is serviced"})
    assert "Scanner is serviced" in client.get(page).content.decode()
    client.post(f"{ALERTS}{alert.pk}/wake/")
    assert "Snoozed" not in client.get(page).content.decode()
    client.post(f"{ALERTS}{alert.pk}/assign/", {"owner": me.pk})
    with whole_database():
        alert.refresh_from_db()
    assert (alert.owner_id, alert.is_snoozed) == (me.pk, False)


def test_the_alerts_page_draws_the_evidence_that_is_kept_with_it(
    furnished: Furnished, console_for: ConsoleFor
) -> None:
    with whole_database():
        alert = next(one for one in Alert.all_tenants.all() if one.evidence.get("pictures"))
    page = console_for(furnished.tenant).get(f"{ALERTS}{alert.pk}/change/").content.decode()
    assert "What had moved" in page
    assert f"{alert.evidence['pictures'][0]['feature']}: training and then" in page
    assert "{&#x27;" not in page  # no raw JSON


def test_a_channel_is_made_in_two_steps_tried_edited_and_deleted(
    furnished: Furnished, console_for: ConsoleFor, receiver: WebServer
) -> None:
    client = console_for(furnished.tenant)
    to = client.post(f"{CHANNELS}add/", {"kind": "webhook"})["Location"]
    assert (
        client.post(to, {"name": "Pager", "url": receiver.url, "secret": "short", **HEARS}).status_code == 200
    )
    form = {"name": "Pager", "url": receiver.url, "secret": "a-key-of-16-letters", **HEARS}
    client.post(to, {**form, "models": [furnished.model.pk]})
    with whole_database():
        channel = Channel.all_tenants.get(name="Pager")
    assert channel.model_names == ["cancer"]
    page = client.post(f"{CHANNELS}{channel.pk}/test/", follow=True).content.decode()
    assert "The test did not arrive. The receiver answered 500: full" in page
    assert "1 were given up" in page
    assert "did not arrive" in client.get("/admin/").content.decode()
    client.post(f"{CHANNELS}{channel.pk}/edit/", {**form, "secret": "", "name": "Later"})
    with whole_database():
        channel.refresh_from_db()
    assert (channel.name, bool(channel.credential), channel.model_names) == ("Later", True, [])
    client.post(f"{CHANNELS}{channel.pk}/remove/")
    with whole_database():
        assert not Channel.all_tenants.filter(pk=channel.pk).exists()


def test_what_was_given_up_is_sent_again_from_the_list(furnished: Furnished, console_for: ConsoleFor) -> None:
    client = console_for(furnished.tenant)
    with whole_database():
        delivery = Delivery.all_tenants.latest("pk")
        Delivery.all_tenants.filter(pk=delivery.pk).update(state="dead", last_error="The mail server slept.")
    assert "The mail server slept." in client.get(DELIVERIES).content.decode()
    client.post(DELIVERIES, {"action": "resend_selected", "_selected_action": [delivery.pk]})
    with whole_database():
        delivery.refresh_from_db()
    assert delivery.state == "waiting"
    assert mail.outbox == []


def test_channels_are_the_administrators(furnished: Furnished, console_for: ConsoleFor) -> None:
    client = console_for(furnished.tenant, Role.APPROVER)
    assert client.get(CHANNELS).status_code == 403
    assert client.get(DELIVERIES).status_code == 403
