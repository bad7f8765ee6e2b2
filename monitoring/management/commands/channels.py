"""Channels and what they sent, from the command line."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from mlplatform.management.base import TenantCommand
from monitoring.channels.kinds import KINDS
from monitoring.models import Channel, Delivery
from monitoring.models.alert import Severity
from monitoring.models.delivery import DeliveryState
from monitoring.services.channels import (
    create_channel,
    delete_channel,
    find_channel,
    place_of,
    update_channel,
)
from monitoring.services.deliveries import find_delivery, resend, try_channel

MOST = 200


class Command(TenantCommand):
    """``manage.py channels``."""

    help = (
        "List the channels, make, test, switch or delete one, list messages that were given up, or send one "
        "again. The secret comes from a file, so that it stands in no history."
    )
    example = (
        "python manage.py channels --tenant clinic --create On-call --kind webhook --secret-file key.txt "
        "--url https://pager.example.com/hook\n"
        "  python manage.py channels --tenant clinic --test 2"
    )

    def add_options(self, parser: ArgumentParser) -> None:
        """Add one option for each thing to do, and what a new channel is made of."""
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--create", metavar="NAME", help="Write a channel down.")
        for name, told in (
            ("show", "Show this channel."),
            ("test", "Send a test through it."),
            ("update", "Change where it leads, its secret or what it hears of."),
            ("enable", "Switch it on."),
            ("disable", "Switch it off."),
            ("delete", "Forget it, its secret and its messages."),
            ("resend", "Send this message again."),
        ):
            what.add_argument(f"--{name}", type=int, metavar="ID", help=told)
        what.add_argument("--dead", action="store_true", help="List the messages that were given up.")
        parser.add_argument("--kind", choices=sorted(KINDS), help="What it is.")
        parser.add_argument("--url", help="Of a webhook: where it leads.")
        parser.add_argument(
            "--addresses", nargs="*", metavar="ADDRESS", help="Of e-mail: to whom; none for members."
        )
        parser.add_argument(
            "--secret-file", type=Path, metavar="FILE", help="The signing key, or the address."
        )
        parser.add_argument(
            "--least-severity", choices=Severity.values, help="Alerts from this on (warning)."
        )
        parser.add_argument("--models", nargs="+", metavar="NAME", help="Of these models only.")

    def run_for_tenant(self, **options: Any) -> Any:
        """Do what was asked and return what came of it, or all channels."""
        if options["create"] is not None:
            return self._created(options)
        if options["dead"]:
            dead = Delivery.objects.filter(state=DeliveryState.DEAD).select_related("channel")
            return [_message(one) for one in dead[:MOST]]
        if options["resend"] is not None:
            return _message(resend(delivery=find_delivery(options["resend"]), by=self.actor))
        for name in ("show", "test", "update", "enable", "disable", "delete"):
            if options[name] is not None:
                return self._done(name, find_channel(options[name]), options)
        return [_line(channel) for channel in Channel.objects.all()]

    def _created(self, options: dict[str, Any]) -> dict[str, Any]:
        if options["kind"] is None:
            raise CommandError("Say what it is with --kind.")
        given = {"settings": {}, **_given(options)}
        return _line(create_channel(name=options["create"], kind=options["kind"], by=self.actor, **given))

    def _done(self, name: str, channel: Channel, options: dict[str, Any]) -> dict[str, Any]:
        match name:
            case "test":
                return _message(try_channel(channel=channel, by=self.actor))
            case "update":
                channel = update_channel(channel=channel, changes=_given(options), by=self.actor)
            case "enable" | "disable":
                changes = {"enabled": name == "enable"}
                channel = update_channel(channel=channel, changes=changes, by=self.actor)
            case "delete":
                delete_channel(channel=channel, by=self.actor)
                return {"deleted": options["delete"]}
        return _line(channel)


def _given(options: dict[str, Any]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if options["url"] is not None:
        given["settings"] = {"url": options["url"]}
    elif options["addresses"] is not None:
        given["settings"] = {"addresses": options["addresses"]}
    if options["secret_file"] is not None:
        given["secret"] = _secret(options["secret_file"])
    if options["least_severity"] is not None:
        given["least_severity"] = options["least_severity"]
    if options["models"] is not None:
        given["model_names"] = options["models"]
    return given


def _secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error


def _line(channel: Channel) -> dict[str, Any]:
    return {
        "id": channel.pk,
        "name": channel.name,
        "kind": channel.kind,
        "leads_to": place_of(channel),
        "least_severity": channel.least_severity,
        "models": channel.model_names,
        "digest": channel.digest or "none",
        "enabled": channel.enabled,
    }


def _message(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.pk,
        "channel": delivery.channel.name,
        "message": str(delivery),
        "state": delivery.state,
        "attempts": delivery.attempts,
        "last_error": delivery.last_error,
        "written": delivery.created_at,
    }
