"""Letters, one to each person, so that no address is told to another."""

import hashlib
from collections.abc import Mapping
from smtplib import SMTPException
from typing import Any

from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, get_connection
from django.core.validators import validate_email

from monitoring.channels.base import BadSetting, Kind, Message, SendingFailed
from monitoring.channels.words import lines_of

MOST_ADDRESSES = 50
LONGEST_SUBJECT = 150


def check(settings: Mapping[str, Any], secret: str) -> dict[str, Any]:
    """Return the settings: the addresses, none for the members who look after the model."""
    if unknown := sorted(set(settings) - {"addresses"}):
        raise BadSetting("settings", f"Unknown: {', '.join(unknown)}. E-mail has addresses.")
    if secret:
        raise BadSetting("secret", "E-mail has no secret here: the operator sets the mail server.")
    addresses = settings.get("addresses") or []
    if not isinstance(addresses, list) or len(addresses) > MOST_ADDRESSES:
        raise BadSetting("addresses", f"Give a list of at most {MOST_ADDRESSES} addresses.")
    for address in addresses:
        try:
            validate_email(address)
        except (ValidationError, TypeError) as error:
            raise BadSetting("addresses", f"{str(address)[:80]!r} is no address.") from error
    return {"addresses": list(dict.fromkeys(addresses))}


def send(message: Message) -> None:
    """Write to everybody who has not got it; raises SendingFailed with those who have."""
    if not message.recipients:
        raise SendingFailed("Nobody is there to write to. Name addresses, or members who may see the model.")
    subject = " ".join(str(message.payload["subject"]).split())[:LONGEST_SUBJECT]
    text = "\n\n".join(lines_of(message.payload)) + "\n"
    reached: list[str] = []
    try:
        with get_connection() as connection:
            for address in message.recipients:
                person = hashlib.sha256(address.encode()).hexdigest()[:12]
                headers = {"Message-ID": f"<{message.key}.{person}@ml-platform>"}
                EmailMessage(subject, text, None, [address], connection=connection, headers=headers).send()
                reached.append(address)
    except (SMTPException, OSError) as error:
        raise SendingFailed(
            f"The mail server took no letter: {type(error).__name__}.", reached=reached
        ) from error


def place(settings: Mapping[str, Any], secret: str) -> str:
    """Return who is written to."""
    return ", ".join(settings.get("addresses") or []) or "the members who look after the model"


EMAIL = Kind("E-mail", check, send, place)
