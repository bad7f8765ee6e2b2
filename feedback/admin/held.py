"""Outcomes that wait for their predictions, and those that waited in vain."""

from collections.abc import Iterable

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import RelatedDropdownFilter

from feedback.models import HeldOutcome
from feedback.models.held import HeldState
from feedback.services.holding import held_counts, waits_until
from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.parts import Badge, Facts, Section, Tone
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from mlplatform.tenancy.scope import active_tenant

TONES: dict[str, Tone] = {HeldState.WAITING: "info", HeldState.EXPIRED: "warn", HeldState.REFUSED: "bad"}


def state_of(held: HeldOutcome) -> Badge:
    """Return what became of it."""
    return Badge(HeldState(held.state).label, TONES[HeldState(held.state)])


@admin.register(HeldOutcome, site=console)
class HeldOutcomeAdmin(PlatformModelAdmin):
    """Reports whose prediction is not known."""

    list_display = [
        cell("received_at", "Received"),
        "about",
        cell("model", "Model"),
        cell("value", "What happened"),
        "stands",
        cell("reason", "Why"),
        cell("received_from", "From"),
    ]
    list_select_related = ["model"]
    list_filter = ["state", ("model", RelatedDropdownFilter), "source"]
    search_fields = ["=prediction_key", "entity_key", "received_from"]
    empty_title = "No outcome waits"
    empty_hint = (
        "An outcome that comes before its prediction is kept here for some days (Settings), and counts as "
        "soon as the prediction arrives."
    )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        """Show the list under how many there are of each kind."""
        if active_tenant() is not None:
            counts = held_counts()
            title = ", ".join(
                f"{counts[state]:,} {HeldState(state).label.lower()}" for state in HeldState.values
            )
            extra_context = {**(extra_context or {}), "subtitle": title}
        return super().changelist_view(request, extra_context)

    @admin.display(description="About")
    def about(self, held: HeldOutcome) -> str:
        """The prediction or the case that it names."""
        return show(str(held))

    @admin.display(description="State", ordering="state")
    def stands(self, held: HeldOutcome) -> str:
        """What became of it."""
        return show(state_of(held))

    def sections(self, request: HttpRequest, row: HeldOutcome) -> Iterable[Section | None]:
        """Return what was reported, and how long it waits."""
        waiting = row.state == HeldState.WAITING
        yield Facts(
            "Held outcome",
            [
                ("State", state_of(row)),
                ("Why", row.reason or "Its prediction is not known yet."),
                ("Waits until", waits_until(row) if waiting else None),
                ("Prediction", row.prediction_key),
                ("Case (pseudonym)", row.entity_key or None),
                ("Model", row.model),
                ("What happened", row.value),
                ("Rating", row.rating or None),
                ("Comment", row.comment or None),
                ("Observed", row.observed_at),
                ("Received", row.received_at),
                ("From", f"{row.received_from} ({row.source})"),
            ],
            wide=True,
        )
