"""Promotion requests: the approvers' inbox."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.utils.dateparse import parse_datetime
from unfold.contrib.filters.admin import RelatedDropdownFilter

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.extensions import attention, navigation_badges, version_commands
from mlplatform.admin.forms import ConsoleForm, ReasonForm, bound
from mlplatform.admin.links import page_url
from mlplatform.admin.parts import Badge, Facts, Notice, Section, Table, Tone
from mlplatform.admin.render import ago, show
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability
from registry.admin.versions import PromoteForm, promotable
from registry.admin.words import comparison_table, gates_table
from registry.models import ModelVersion, PromotionRequest
from registry.models.request import RequestState
from registry.services import requests
from registry.services.promotion import champion_of
from registry.tasks import submit_proposal

TONES: dict[str, Tone] = {
    RequestState.OPEN: "warn",
    RequestState.APPROVED: "good",
    RequestState.REJECTED: "bad",
}


class CommentForm(ConsoleForm):
    """What people have to say."""

    text = forms.CharField(
        max_length=requests.LONGEST_TEXT, label="Comment", widget=forms.Textarea(attrs={"rows": 4})
    )


class ProposalForm(ConsoleForm):
    """Why this version."""

    comment = forms.CharField(
        max_length=requests.LONGEST_TEXT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What approvers should know.",
    )


class RejectForm(ConsoleForm):
    """Why not."""

    reason = forms.CharField(max_length=requests.LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 3}))


def state_badge(request: PromotionRequest) -> Badge:
    """Return where the request stands."""
    state = RequestState(request.state)
    if state is RequestState.OPEN and not request.is_open:
        state = RequestState.EXPIRED
    return Badge(state.label, TONES.get(state, "muted"))


def waiting_badge() -> str:
    """Return how many requests wait, for the sidebar; nothing where none does."""
    return str(requests.open_requests().count() or "")


def is_open(request: PromotionRequest) -> bool:
    """Tell whether it can still be decided."""
    return request.is_open


navigation_badges["registry.promotionrequest"] = waiting_badge


@admin.register(PromotionRequest, site=console)
class PromotionRequestAdmin(PlatformModelAdmin):
    """Versions proposed as champion; those that wait stand first."""

    list_display = [
        "name",
        cell("model", "Model"),
        "state_shown",
        cell("requested_by", "By", ordering="actor_label"),
        "comment",
    ]
    list_filter = ["state", ("model", RelatedDropdownFilter), "created_at"]
    search_fields = ["model__name", "actor_label", "comment"]
    of_a_model = True
    empty_title = "Nothing waits for approval"
    empty_hint = "Propose a version on its page; whoever approves finds it here."
    commands = (
        Command(
            "approve",
            "Approve",
            Capability.APPROVE,
            "check",
            "primary",
            available=is_open,
            reauthenticate=True,
        ),
        Command("reject", "Reject", Capability.APPROVE, "close", "danger", available=is_open),
        Command("comment", "Comment", Capability.TRAIN, "comment"),
        Command("withdraw", "Withdraw", Capability.TRAIN, "undo", available=is_open),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[PromotionRequest]:
        """Put those that wait first."""
        waits = Case(
            When(state=RequestState.OPEN, then=Value(0)), default=Value(1), output_field=IntegerField()
        )
        return requests.requests_overview().annotate(waits=waits).order_by("waits", "-created_at", "-pk")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Order by what waits, then age."""
        return ("waits", "-created_at", "-pk")

    @admin.display(description="Request")
    def name(self, request: PromotionRequest) -> str:
        """What is asked for."""
        return str(request)

    @admin.display(description="State", ordering="state")
    def state_shown(self, request: PromotionRequest) -> str:
        """Where it stands."""
        return show(state_badge(request))

    def sections(self, request: HttpRequest, row: PromotionRequest) -> Iterable[Section | None]:
        """Return who asks for what, what the gates said, the comments, what came of it."""
        decided = [
            ("Decided", row.decided_at),
            ("By", row.decided_by),
            ("Why", row.decision),
            ("The change", getattr(row, "deployment", None)),
        ]
        yield Facts(
            str(row),
            [
                ("State", state_badge(row)),
                ("Version", row.version),
                ("Champion when proposed", row.against),
                ("Champion now", champion_of(row.model)),
                ("Asked by", row.requested_by),
                ("Comment", row.comment),
                ("Asked", row.created_at),
                ("Decide before", row.expires_at),
                ("Two people", "asked for" if row.model.four_eyes else "not asked for"),
                *(fact for fact in decided if fact[1] not in ("", None)),
            ],
            wide=True,
        )
        yield gates_table(row.gates)
        yield comparison_table(row.version, row.against)
        said = [[parse_datetime(one["at"]), one["by"], one["text"]] for one in row.comments]
        yield Table("Comments", ["When", "Who", "What"], said, empty="Nobody has commented.")

    def approve(self, request: HttpRequest, row: PromotionRequest) -> HttpResponse:
        """Ask why, then run the gates once more and promote."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            requests.approve(request=row, by=by, reason=data["reason"], override=data["override"])
            return self.done(request, f"{row.version} is now the champion.", row)

        intro = "The gates are run once more, against what runs now. Then the version answers at once."
        page = FormPage(f"Approve {row.version}?", "Approve", intro=intro, sections=[gates_table(row.gates)])
        return self.form_page(request, page=page, form=bound(PromoteForm, request), submit=submit, row=row)

    def reject(self, request: HttpRequest, row: PromotionRequest) -> HttpResponse:
        """Ask why, then turn it down."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            requests.reject(request=row, by=by, reason=data["reason"])
            return self.done(request, "The request was rejected.", row)

        page = FormPage(f"Reject {row.version}?", "Reject", danger=True)
        return self.form_page(request, page=page, form=bound(RejectForm, request), submit=submit, row=row)

    def withdraw(self, request: HttpRequest, row: PromotionRequest) -> HttpResponse:
        """Take the proposal back."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            requests.withdraw(request=row, by=by, reason=data["reason"])
            return self.done(request, "The request was withdrawn.", row)

        page = FormPage(f"Withdraw the request for {row.version}?", "Withdraw")
        return self.form_page(request, page=page, form=bound(ReasonForm, request), submit=submit, row=row)

    def comment(self, request: HttpRequest, row: PromotionRequest) -> HttpResponse:
        """Add a comment."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            requests.comment_on(request=row, by=by, text=data["text"])
            return self.done(request, "The comment was added.", row)

        page = FormPage(f"Comment on the request for {row.version}", "Add the comment")
        return self.form_page(request, page=page, form=bound(CommentForm, request), submit=submit, row=row)


def propose_page(request: HttpRequest, version: ModelVersion) -> HttpResponse:
    """Ask what approvers should know, then propose the version."""
    pages = console._registry[PromotionRequest]
    assert isinstance(pages, PromotionRequestAdmin)  # noqa: S101  # registered above

    def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
        made = submit_proposal(model=version.model, version=version, by=by, comment=data["comment"])
        return pages.done(request, f"{version} is proposed.", made)

    intro = "The gates are run first. Then the approvers find it in their inbox, and get a letter."
    page = FormPage(f"Propose {version} as champion?", "Propose", intro=intro)
    return pages.form_page(request, page=page, form=bound(ProposalForm, request), submit=submit, row=version)


version_commands.append(
    Command("propose", "Propose", Capability.TRAIN, "approval", available=promotable, view=propose_page)
)


@attention.at(12)
def requests_waiting() -> Iterable[Notice]:
    """Yield the promotions that somebody has to decide."""
    waiting = requests.requests_overview().filter(state=RequestState.OPEN)
    for row in waiting.order_by("expires_at")[:10]:
        asked = f"{row.requested_by} asked {ago(row.created_at)}."
        yield Notice("warn", f"{row.version} waits for approval", asked, page_url(row))
