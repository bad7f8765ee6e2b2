"""Channels: written down, changed, deleted. Their secrets are sealed and never shown again."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError

from mlplatform.outbound.errors import AddressRefused
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.attempts import record_attempt
from mlplatform.tenancy.services.audit import fields_of, record
from mlplatform.tenancy.services.sealed_texts import open_column, seal_column
from monitoring.channels.base import BadSetting
from monitoring.channels.kinds import KINDS
from monitoring.errors import ChannelExists, ChannelNotFound, InvalidChannel
from monitoring.models import Channel
from registry.models import RegisteredModel

PLAIN = (
    "name",
    "least_severity",
    "model_names",
    "on_raised",
    "on_escalated",
    "on_resolved",
    "digest",
    "digest_hour",
    "enabled",
)
EDITABLE = (*PLAIN, "settings", "secret")
MOST_CHANNELS = 50


def find_channel(pk: int) -> Channel:
    """Return the tenant's channel; raises ChannelNotFound."""
    channel = Channel.objects.filter(pk=pk).first()
    if channel is None:
        raise ChannelNotFound(f"There is no channel {pk}. List them at /api/v1/channels.")
    return channel


def create_channel(
    *,
    name: str,
    kind: str,
    by: Actor,
    settings: Mapping[str, Any] | None = None,
    secret: str = "",
    **plain: Any,
) -> Channel:
    """Write a channel down; nothing is sent yet. ``plain`` are fields of ``PLAIN``.

    Raises InvalidChannel, AddressRefused or ChannelExists.
    """
    if kind not in KINDS:
        raise InvalidChannel("There is no such kind.", fields={"kind": [f"One of {', '.join(KINDS)}."]})
    if Channel.objects.count() >= MOST_CHANNELS:
        raise InvalidChannel(f"There are {MOST_CHANNELS} channels already. Delete one first.")
    channel = Channel(kind=kind, created_by=str(by)[:200])
    _take(channel, {"name": name, **plain})
    channel.settings = _checked(channel, settings or {}, secret, by=by)
    with tenant_transaction():
        _save(channel)
        seal_column(channel, "credential", secret)
        channel.save(update_fields=["credential"])
        record(by=by, action="channel.created", target=channel, after=told(channel))
    return channel


def update_channel(*, channel: Channel, changes: Mapping[str, Any], by: Actor) -> Channel:
    """Change any of ``EDITABLE``; what is left out stays, the secret too. Raises as ``create_channel``."""
    with tenant_transaction():
        locked = Channel.objects.select_for_update().filter(pk=channel.pk).first()
        if locked is None:
            raise ChannelNotFound(f"The channel {channel.name!r} was deleted meanwhile.")
        before = told(locked)
        _take(locked, {key: value for key, value in changes.items() if key not in {"settings", "secret"}})
        secret = changes.get("secret")
        if "settings" in changes or secret is not None:
            known = open_column(locked, "credential") if secret is None else secret
            locked.settings = _checked(locked, changes.get("settings", locked.settings), known, by=by)
        if secret is not None:
            seal_column(locked, "credential", secret)
        _save(locked)
        after = told(locked)
        entered = secret is not None
        record(
            by=by,
            action="channel.updated",
            target=locked,
            before=before,
            after=after,
            entered_anew=entered,
        )
    return locked


def delete_channel(*, channel: Channel, by: Actor) -> None:
    """Forget the channel, its secret, and what it sent or was to send."""
    with tenant_transaction():
        record(by=by, action="channel.deleted", target=channel, before=told(channel))
        channel.delete()


def place_of(channel: Channel) -> str:
    """Return in words where the channel leads, without what is secret."""
    with tenant_transaction():
        return KINDS[channel.kind].place(channel.settings, open_column(channel, "credential"))


def told(channel: Channel) -> dict[str, Any]:
    """Return the channel's fields for the trail: of the secret only whether there is one."""
    return {**fields_of(channel, "credential", "created_at"), "has_credential": bool(channel.credential)}


def _take(channel: Channel, plain: Mapping[str, Any]) -> None:
    """Set the fields; raises InvalidChannel by field."""
    if unknown := sorted(set(plain) - set(PLAIN)):
        hint = f"Known: {', '.join(EDITABLE)}."
        raise InvalidChannel("There is no such field.", fields={name: [hint] for name in unknown})
    for name, value in plain.items():
        setattr(channel, name, value.strip() if name == "name" and isinstance(value, str) else value)
    try:
        channel.clean_fields(exclude=["created_by", "tenant", "model_names", "settings"])
    except ValidationError as error:
        raise InvalidChannel("Some fields of the channel are wrong.", fields=error.message_dict) from error
    known = set(RegisteredModel.objects.filter(name__in=channel.model_names).values_list("name", flat=True))
    if missing := [name for name in channel.model_names if name not in known]:
        words = [f"There is no model {missing[0]!r}."]
        raise InvalidChannel("Some fields of the channel are wrong.", fields={"model_names": words})


def _checked(channel: Channel, settings: Mapping[str, Any], secret: str, *, by: Actor) -> dict[str, Any]:
    try:
        return KINDS[channel.kind].check(settings, secret)
    except BadSetting as error:
        raise InvalidChannel(
            "The channel cannot work like this.", fields={error.name: [error.words]}
        ) from error
    except AddressRefused as error:
        target = channel if channel.pk else Channel
        details = {"kind": channel.kind, "reason": error.detail}
        record_attempt(by=by, action="channel.refused", target=target, details=details)
        raise


def _save(channel: Channel) -> None:
    try:
        with tenant_transaction():
            channel.save()
    except IntegrityError as error:
        words = f"A channel {channel.name!r} exists already. Choose another name."
        raise ChannelExists(words, fields={"name": ["Taken."]}) from error
