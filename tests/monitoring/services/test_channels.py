"""Channels: written down with a sealed secret, refused by field, changed without losing what is kept."""

from typing import Any

import pytest

from mlplatform.outbound.errors import AddressRefused
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.services.sealed_texts import open_column
from monitoring.errors import ChannelExists, ChannelNotFound, InvalidChannel
from monitoring.models import Channel
from monitoring.services.channels import (
    create_channel,
    delete_channel,
    find_channel,
    place_of,
    update_channel,
)

KEY = "a-key-of-16-letters"
HOOK = {"url": "https://pager.example.com/hook"}
CHAT = "https://hooks.slack.com/services/T1/B2/very-secret"
pytestmark = pytest.mark.usefixtures("in_tenant")


def make(**changes: Any) -> Channel:
    fields: dict[str, Any] = {"name": "Pager", "kind": "webhook", "settings": HOOK, "secret": KEY}
    return create_channel(by=SYSTEM, **(fields | changes))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": "pigeon"}, "kind"),
        ({"name": " "}, "name"),
        ({"secret": "short"}, "secret"),
        ({"settings": {}}, "url"),
        ({"settings": {**HOOK, "more": 1}}, "settings"),
        ({"least_severity": "fatal"}, "least_severity"),
        ({"digest_hour": 24}, "digest_hour"),
        ({"model_names": ["nobody"]}, "model_names"),
        ({"moon": 1}, "moon"),
        ({"kind": "slack", "settings": HOOK, "secret": CHAT}, "settings"),
        ({"kind": "slack", "settings": {}, "secret": ""}, "secret"),
        ({"kind": "email", "settings": {"addresses": ["nobody"]}, "secret": ""}, "addresses"),
        ({"kind": "email", "settings": {}}, "secret"),
    ],
)
def test_what_cannot_work_is_refused_by_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidChannel) as caught:
        make(**changes)
    assert set(caught.value.fields or {}) == {field}
    assert not Channel.objects.exists()


@pytest.mark.parametrize(
    "url",
    ["http://pager.example.com/", "file:///etc/passwd", "https://a:b@example.com/", "https://x.example:22/"],
)
def test_an_address_where_nobody_goes_is_refused_and_recorded(url: str) -> None:
    with pytest.raises(AddressRefused):
        make(settings={"url": url})
    assert AuditEvent.objects.filter(action="channel.refused").exists()


def test_secrets_are_sealed_and_told_nowhere() -> None:
    channel = make(name="Chat", kind="slack", settings={}, secret=CHAT)
    assert place_of(channel) == "hooks.slack.com"
    assert open_column(channel, "credential") == CHAT
    assert "very-secret" not in f"{channel.credential} {channel.settings}"
    told = AuditEvent.objects.get(action="channel.created")
    assert "very-secret" not in str(vars(told))


def test_a_change_keeps_the_secret_unless_a_new_one_is_given() -> None:
    channel = make()
    changed = update_channel(channel=channel, changes={"name": "Later", "on_resolved": True}, by=SYSTEM)
    assert (changed.name, open_column(changed, "credential")) == ("Later", KEY)
    other = {"url": "https://other.example.com/"}
    changed = update_channel(channel=channel, changes={"settings": other, "secret": KEY[::-1]}, by=SYSTEM)
    assert (changed.settings, open_column(changed, "credential")) == (other, KEY[::-1])
    with pytest.raises(InvalidChannel):
        update_channel(channel=channel, changes={"secret": ""}, by=SYSTEM)


def test_a_name_is_taken_once_and_a_deleted_channel_is_gone() -> None:
    channel = make()
    with pytest.raises(ChannelExists):
        make()
    delete_channel(channel=find_channel(channel.pk), by=SYSTEM)
    with pytest.raises(ChannelNotFound):
        find_channel(1)


def test_a_channel_that_moved_with_its_tenant_waits_for_its_secret(in_tenant: Tenant) -> None:
    channel = make()
    channel.credential = ""
    channel.arrive()
    channel.save()
    assert place_of(channel) == HOOK["url"]
    with pytest.raises(InvalidChannel):
        update_channel(channel=channel, changes={"settings": HOOK}, by=SYSTEM)
