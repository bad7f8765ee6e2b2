"""Chats that take Slack's incoming webhooks: Slack, Mattermost, Rocket.Chat and others."""

import json
from collections.abc import Mapping
from typing import Any

from monitoring.channels.base import BadSetting, Kind, Message
from monitoring.channels.posting import checked_address, host_of, post
from monitoring.channels.words import lines_of

MOST_LETTERS = 10_000
MARKS = {"critical": ":red_circle:", "warning": ":large_orange_circle:", "info": ":large_blue_circle:"}


def check(settings: Mapping[str, Any], secret: str) -> dict[str, Any]:
    """Return no settings: the address is the secret, since whoever knows it may write into the chat."""
    if settings:
        raise BadSetting("settings", "A chat has no settings. Its address is the secret.")
    checked_address(secret, "secret")
    return {}


def send(message: Message) -> None:
    """Write into the chat."""
    body = json.dumps({"text": text_of(message.payload)}).encode()
    post(message.secret, body, {"Content-Type": "application/json", "User-Agent": "ml-platform"})


def text_of(payload: Mapping[str, Any]) -> str:
    """Return the message with Slack's three special letters escaped, so that no name can call or link."""
    mark = MARKS.get(str(payload.get("severity", "")), "")
    subject = f"{mark} *{escaped(payload['subject'])}*".strip()
    return "\n".join([subject, *map(escaped, lines_of(payload))])[:MOST_LETTERS]


def escaped(text: str) -> str:
    """Return the text so that the chat shows it as it is."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def place(settings: Mapping[str, Any], secret: str) -> str:
    """Return the chat's host; the rest of the address is a secret."""
    return host_of(secret) if secret else "its address must be entered again"


SLACK = Kind("Slack or a compatible chat", check, send, place, secret="the chat's address")  # noqa: S106  # its name
