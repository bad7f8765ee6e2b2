"""Deliveries: what channels were given to send, and what of it was given up."""

from collections.abc import Iterable

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command
from mlplatform.admin.extensions import attention
from mlplatform.admin.links import list_url
from mlplatform.admin.parts import Facts, Notice, Section, Table
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability
from monitoring.admin.words import delivery_badge
from monitoring.channels.words import lines_of
from monitoring.models import Alert, Delivery
from monitoring.models.delivery import DeliveryState
from monitoring.services.deliveries import resend


def _can_be_sent_again(delivery: Delivery) -> bool:
    return delivery.state != DeliveryState.WAITING


@admin.register(Delivery, site=console)
class DeliveryAdmin(PlatformModelAdmin):
    """What channels were given to send."""

    list_display = [
        "subject",
        "state_shown",
        cell("channel", "Channel"),
        "kind",
        cell("created_at", "Written"),
        "attempts",
        cell("last_error", "Last failure"),
    ]
    list_display_links = ["subject"]
    list_select_related = ["channel", "model"]
    list_filter = ["state", "kind", "created_at"]
    search_fields = ["channel__name", "model__name"]
    actions = ["resend_selected"]
    empty_title = "Nothing was sent yet"
    empty_hint = "Messages stand here once a channel carries an alert."
    commands = (
        Command("resend", "Send again", Capability.ADMIN, "forward_to_inbox", "primary", post=True,
                available=_can_be_sent_again),
    )  # fmt: skip

    @admin.display(description="Message")
    def subject(self, delivery: Delivery) -> str:
        """What it says first."""
        return str(delivery)

    @admin.display(description="State", ordering="state")
    def state_shown(self, delivery: Delivery) -> str:
        """How far it is."""
        return show(delivery_badge(delivery))

    @admin.action(description="Send again", permissions=["admin"])
    def resend_selected(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        """Send them once more."""
        self.for_each(
            request, deliveries, Capability.ADMIN, lambda one, by: resend(delivery=one, by=by), "wait again"
        )

    def sections(self, request: HttpRequest, row: Delivery) -> Iterable[Section | None]:
        """Return how far it is, what it says, and the alerts that it tells of."""
        yield Facts(
            str(row),
            [
                ("State", delivery_badge(row)),
                ("Channel", row.channel),
                ("Model", row.model),
                ("Written", row.created_at),
                ("Sent", row.sent_at),
                ("Attempts", row.attempts),
                ("Next attempt", row.next_try_at),
                ("Last failure", row.last_error or None),
                ("Key", str(row.key)),
            ],
            note="The key is the same in every attempt, so that a receiver can leave out what it has.",
        )
        says = [("Subject", row.payload.get("subject")), ("Text", lines_of(row.payload))]
        yield Facts("What it says", says, wide=True)
        alerts = [[one] for one in Alert.objects.filter(pk__in=row.alerts)]
        yield Table("Alerts", ["Alert"], alerts, empty="It tells of no single alert.", wide=False)

    def resend(self, request: HttpRequest, delivery: Delivery) -> HttpResponse:
        """Send it once more."""
        resend(delivery=delivery, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
        return self.done(request, "It is sent again in a moment.", delivery)


@attention.at(27)
def given_up() -> Iterable[Notice]:
    """Yield that messages were given up, so that no alert is lost unseen."""
    dead = Delivery.objects.filter(state=DeliveryState.DEAD)
    newest, count = dead.select_related("channel").first(), dead.count()
    if newest is not None:
        address = list_url("monitoring.delivery", state__exact=DeliveryState.DEAD)
        detail = f"{newest.channel}: {newest.last_error}"[:200]
        yield Notice("warn", f"{count} messages did not arrive", detail, address)
