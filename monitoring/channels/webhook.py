"""Webhooks for programs: CloudEvents 1.0 in structured JSON, signed."""

import json
import time
from collections.abc import Mapping
from typing import Any

from monitoring.channels.base import BadSetting, Kind, Message
from monitoring.channels.posting import checked_address, host_of, post
from monitoring.channels.signing import sign

SHORTEST_SECRET, LONGEST_SECRET = 16, 500


def check(settings: Mapping[str, Any], secret: str) -> dict[str, Any]:
    """Return the settings, an address; the secret signs."""
    if unknown := sorted(set(settings) - {"url"}):
        raise BadSetting("settings", f"Unknown: {', '.join(unknown)}. A webhook has url.")
    if not SHORTEST_SECRET <= len(secret) <= LONGEST_SECRET:
        raise BadSetting("secret", f"Give a signing key of {SHORTEST_SECRET} to {LONGEST_SECRET} characters.")
    return {"url": checked_address(settings.get("url"), "url")}


def send(message: Message) -> None:
    """Send the event; the receiver knows a repeated one by its ``id``."""
    body = json.dumps(cloud_event(message), separators=(",", ":")).encode()
    now = int(time.time())
    headers = {
        "Content-Type": "application/cloudevents+json; charset=utf-8",
        "User-Agent": "ml-platform",
        "webhook-id": message.key,
        "webhook-timestamp": str(now),
        "webhook-signature": sign(message.secret, message.key, now, body),
    }
    post(message.settings["url"], body, headers)


def cloud_event(message: Message) -> dict[str, Any]:
    """Return the message as a CloudEvent (https://github.com/cloudevents/spec, 1.0.2)."""
    payload = message.payload
    model = payload.get("model")
    return {
        "specversion": "1.0",
        "id": message.key,
        "source": f"/tenants/{payload['tenant']}",
        "type": f"mlplatform.alert.{payload['event']}",
        "time": payload["at"],
        **({"subject": f"models/{model}"} if model else {}),
        "datacontenttype": "application/json",
        "data": dict(payload),
    }


def place(settings: Mapping[str, Any], secret: str) -> str:
    """Return where it leads."""
    return str(settings.get("url", ""))


WEBHOOK = Kind("Webhook (CloudEvents)", check, send, place, secret="the signing key")  # noqa: S106  # its name

__all__ = ["WEBHOOK", "cloud_event", "host_of"]
