"""Channels: by what way people and programs hear of alerts; tried by a button."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.forms import ConfirmForm, bound
from mlplatform.admin.links import add_url, list_url, page_url
from mlplatform.admin.parts import Badge, Facts, Link, Section, Table
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability
from monitoring.admin.channel_forms import FORMS, ChannelForm, ChannelKindForm, initial_of
from monitoring.admin.words import SEVERITY_TONES, delivery_badge
from monitoring.channels.kinds import KINDS
from monitoring.models import Channel
from monitoring.models.alert import Severity
from monitoring.models.delivery import DeliveryState
from monitoring.services.channels import create_channel, delete_channel, place_of, update_channel
from monitoring.services.deliveries import try_channel
from registry.models import RegisteredModel

NEWEST = 20


def channel_badge(channel: Channel) -> Badge:
    """Return whether the channel is on."""
    return Badge("On", "good") if channel.enabled else Badge("Off", "muted")


@admin.register(Channel, site=console)
class ChannelAdmin(PlatformModelAdmin):
    """By what way people and programs hear of alerts."""

    can_add = True
    add_title = "New channel"
    list_display = ["name", "state", "kind", "severity_shown", "digest", cell("created_by", "Made by")]
    list_filter = ["kind", "enabled"]
    search_fields = ["name"]
    empty_title = "No channel yet"
    empty_hint = "Alerts stand in the console alone until a channel carries them: by letter, chat or webhook."
    commands = (
        Command("test", "Send a test", Capability.ADMIN, "send", "primary", post=True),
        Command("edit", "Edit", Capability.ADMIN, "edit"),
        Command("remove", "Delete", Capability.ADMIN, "delete", "danger", reauthenticate=True),
    )

    @admin.display(description="State", ordering="enabled")
    def state(self, channel: Channel) -> str:
        """Whether it is on."""
        return show(channel_badge(channel))

    @admin.display(description="From", ordering="least_severity")
    def severity_shown(self, channel: Channel) -> str:
        """From which severity on it hears of alerts."""
        return show(Badge(Severity(channel.least_severity).label, SEVERITY_TONES[channel.least_severity]))

    def sections(self, request: HttpRequest, row: Channel) -> Iterable[Section | None]:
        """Return what goes through it, and what did."""
        kind = KINDS[row.kind]
        kept = "kept, encrypted" if row.credential else "missing: enter it again"
        summary = f"{row.get_digest_display()}, {row.digest_hour:02d}:00 UTC" if row.digest else "none"
        yield Facts(
            row.name,
            [
                ("State", channel_badge(row)),
                ("Kind", kind.title),
                ("Leads to", place_of(row)),
                ("Secret", kept if kind.secret else "none is needed"),
                (
                    "Alerts from",
                    Badge(Severity(row.least_severity).label, SEVERITY_TONES[row.least_severity]),
                ),
                ("Models", ", ".join(row.model_names) or "all"),
                ("Tells when raised", row.on_raised),
                ("Tells when graver", row.on_escalated),
                ("Tells when over", row.on_resolved),
                ("Summary", summary),
                ("Made by", row.created_by),
            ],
        )
        sent = [
            [one, delivery_badge(one), one.attempts, one.created_at, one.last_error or None]
            for one in row.deliveries.all()[:NEWEST]
        ]
        given_up = row.deliveries.filter(state=DeliveryState.DEAD).count()
        dead = list_url("monitoring.delivery", state__exact=DeliveryState.DEAD)
        yield Table(
            "What it was given to send",
            ["Message", "State", "Attempts", "Written", "Last failure"],
            sent,
            empty="Nothing yet. Send a test.",
            more=Link(f"{given_up} were given up", dead) if given_up else None,
        )

    def add_page(self, request: HttpRequest) -> HttpResponse:
        """Ask for the kind, then for the rest."""
        kind = request.GET.get("kind", "")
        if kind not in FORMS:
            return self._choose_kind(request)
        form = self._form(request, kind)

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            channel = create_channel(kind=kind, by=by, **form.given())
            return self.done(request, "The channel is written down. Send a test through it.", channel)

        page = FormPage(f"New channel: {KINDS[kind].title}", "Save")
        return self.form_page(request, page=page, form=form, submit=submit)

    def edit(self, request: HttpRequest, channel: Channel) -> HttpResponse:
        """Change it."""
        form = self._form(request, channel.kind, channel)

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            update_channel(channel=channel, changes=form.given(), by=by)
            return self.done(request, "The channel was saved.", channel)

        page = FormPage(f"Edit {channel}", "Save")
        return self.form_page(request, page=page, form=form, submit=submit, row=channel)

    def test(self, request: HttpRequest, channel: Channel) -> HttpResponse:
        """Send a test at once and say how it went."""
        sent = try_channel(channel=channel, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
        if sent.state == DeliveryState.SENT:
            messages.success(request, "The test was taken. See whether it arrived where it should.")
        else:
            messages.error(request, f"The test did not arrive. {sent.last_error}")
        return HttpResponseRedirect(page_url(channel))

    def remove(self, request: HttpRequest, channel: Channel) -> HttpResponse:
        """Ask, then delete."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            name = channel.name
            delete_channel(channel=channel, by=by)
            return self.done(request, f"{name} was deleted.")

        intro = "Its secret is forgotten, and what it sent is no longer listed. To rest it, switch it off."
        page = FormPage(f"Delete {channel}?", "Delete", intro=intro, danger=True)
        form = bound(ConfirmForm, request)
        return self.form_page(request, page=page, form=form, submit=submit, row=channel)

    def _choose_kind(self, request: HttpRequest) -> HttpResponse:
        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            return HttpResponseRedirect(add_url("monitoring.channel", kind=data["kind"]))

        page = FormPage("New channel", "Next", intro="A channel carries alerts to people or programs.")
        form = bound(ChannelKindForm, request)
        return self.form_page(request, page=page, form=form, submit=submit)

    def _form(self, request: HttpRequest, kind: str, channel: Channel | None = None) -> ChannelForm:
        initial = {"initial": initial_of(channel)} if channel is not None else {}
        return bound(FORMS[kind], request, models=RegisteredModel.objects.all(), channel=channel, **initial)
