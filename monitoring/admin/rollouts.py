"""Rollouts: a challenger beside the champion, as a picture that grows, and what people do with it."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import RelatedDropdownFilter

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.extensions import version_commands
from mlplatform.admin.forms import ConsoleForm, FieldGroup, ReasonForm, bound
from mlplatform.admin.parts import Section
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability, demand
from monitoring.admin.rollout_words import (
    bounds_picture,
    cases_table,
    judging_facts,
    rollout_facts,
    share_text,
    short_words,
    state_badge,
)
from monitoring.services.rollouts import tend
from registry.admin.versions import PromoteForm, promotable
from registry.models import ModelVersion, Rollout
from registry.models.rollout import RolloutKind, RolloutState, WhenGood
from registry.services import rollouts
from registry.services.promotion import champion_of
from registry.services.rollout_plans import EXAMPLE, plan_from_text


class RampForm(ReasonForm):
    """Another plan, and why."""

    plan = forms.CharField(max_length=500, label="Share of the cases", help_text=f"For example {EXAMPLE}.")
    field_order = ("plan", "reason")


class RolloutForm(ReasonForm):
    """For how many of the cases, and by what it is judged."""

    kind = forms.ChoiceField(
        choices=RolloutKind.choices,
        initial=RolloutKind.CANARY,
        help_text="A canary brings a version in with care: few cases first, and bad news counts at once. An "
        "A/B test finds out which of two versions is better.",
    )
    plan = forms.CharField(
        required=False,
        max_length=500,
        label="Share of the cases",
        help_text=f"For example {EXAMPLE}. Left empty: this for a canary, 50% for an A/B test.",
    )
    when_good = forms.ChoiceField(choices=WhenGood.choices, label="Once it has shown that it is good")
    days = forms.FloatField(required=False, label="Ends after days", help_text="If undecided. Usually 30.")
    margin = forms.FloatField(
        required=False,
        label="May be worse by",
        help_text="Of wrong answers, such as 0.02; of numbers in the target's unit. Left empty: 0.02, or a "
        "tenth of the champion's mean error, for a canary; nothing for an A/B test.",
    )
    minimum = forms.IntegerField(
        required=False,
        label="Cases of either with an outcome",
        help_text="Before it can be found good. Usually 100.",
    )
    alpha = forms.FloatField(
        required=False, label="Wrong verdicts accepted", help_text="However often one looks. Usually 0.05."
    )
    largest_error = forms.FloatField(
        required=False, label="Errors beyond count as", help_text="Of numbers; usually four mean errors."
    )
    critical_error = forms.FloatField(
        required=False,
        label="Stop at a single error of",
        help_text="In the target's unit; of labels how sure it was of a wrong one, such as 0.99.",
    )
    groups = (
        FieldGroup("The rollout", ("kind", "plan", "when_good", "reason")),
        FieldGroup(
            "How it is judged",
            ("margin", "minimum", "alpha", "largest_error", "critical_error", "days"),
            note="What is left empty is as usual.",
            folded=True,
        ),
    )


def runs(rollout: Rollout) -> bool:
    """Tell whether it deals cases out."""
    return rollout.state == RolloutState.RUNNING


def is_paused(rollout: Rollout) -> bool:
    """Tell whether it can be resumed."""
    return rollout.state == RolloutState.PAUSED


def is_active(rollout: Rollout) -> bool:
    """Tell whether it is under way."""
    return rollout.is_active


@admin.register(Rollout, site=console)
class RolloutAdmin(PlatformModelAdmin):
    """A/B tests and canaries."""

    list_display = [
        "name",
        "state_shown",
        cell("champion", "Champion"),
        "share",
        "says",
        cell("created_at", "Started"),
    ]
    list_filter = ["state", "kind", ("model", RelatedDropdownFilter), "created_at"]
    search_fields = ["model__name", "reason", "outcome"]
    of_a_model = True
    empty_title = "No rollout yet"
    empty_hint = (
        "A rollout lets a new version answer some of the real cases until their outcomes tell whether it is "
        "better. Open a version that is not the champion and press Roll out."
    )
    commands = (
        Command("ramp", "Change the share", Capability.DEPLOY, "trending_up", available=runs),
        Command("pause", "Pause", Capability.DEPLOY, "pause", available=runs),
        Command("resume", "Resume", Capability.DEPLOY, "play_arrow", "primary", available=is_paused),
        Command("weigh", "Weigh now", Capability.MONITOR, "balance", post=True, available=is_active),
        Command("promote", "Promote", Capability.DEPLOY, "upgrade", available=is_active, reauthenticate=True),
        Command("stop", "Stop", Capability.DEPLOY, "stop", "danger", available=is_active),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rollout]:
        """Fetch versions and model in the same query."""
        return rollouts.rollouts_overview()

    @admin.display(description="Rollout", ordering="challenger__number")
    def name(self, rollout: Rollout) -> str:
        """What is tried."""
        return str(rollout)

    @admin.display(description="State", ordering="state")
    def state_shown(self, rollout: Rollout) -> str:
        """Where it stands."""
        return show(state_badge(rollout))

    @admin.display(description="Share now")
    def share(self, rollout: Rollout) -> str:
        """How many of the cases the challenger has."""
        return share_text(rollout)

    @admin.display(description="What the outcomes say")
    def says(self, rollout: Rollout) -> str:
        """The newest verdict, or what came of it."""
        return short_words(rollout)

    def sections(self, request: HttpRequest, row: Rollout) -> Iterable[Section | None]:
        """Return what it is, the picture, the cases, how it is judged."""
        yield rollout_facts(row)
        yield bounds_picture(row)
        yield cases_table(row)
        yield judging_facts(row)

    def ramp(self, request: HttpRequest, row: Rollout) -> HttpResponse:
        """Put another plan in the place of the steps to come."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            rollouts.ramp(rollout=row, plan=plan_from_text(data["plan"]), reason=data["reason"], by=by)
            return self.done(request, "The share changes in a moment.", row)

        intro = f"Between {row.least_share:.0%} and {row.most_share:.0%}; now it has {share_text(row)}."
        page = FormPage(f"Change the share of {row.challenger}", "Change", intro=intro)
        return self.form_page(request, page=page, form=bound(RampForm, request), submit=submit, row=row)

    def pause(self, request: HttpRequest, row: Rollout) -> HttpResponse:
        """Give every case to the champion for now."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            rollouts.pause(rollout=row, reason=data["reason"], by=by)
            return self.done(request, "The champion answers every case for now.", row)

        page = FormPage(f"Pause the rollout of {row.challenger}?", "Pause")
        return self.form_page(request, page=page, form=bound(ReasonForm, request), submit=submit, row=row)

    def resume(self, request: HttpRequest, row: Rollout) -> HttpResponse:
        """Go on where it was paused."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            rollouts.resume(rollout=row, reason=data["reason"], by=by)
            return self.done(request, "The challenger answers its cases again.", row)

        intro = "The same cases go to it as before; steps to come are later by the pause."
        page = FormPage(f"Resume the rollout of {row.challenger}?", "Resume", intro=intro)
        return self.form_page(request, page=page, form=bound(ReasonForm, request), submit=submit, row=row)

    def stop(self, request: HttpRequest, row: Rollout) -> HttpResponse:
        """End it by hand."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            rollouts.stop(rollout=row, reason=data["reason"], by=by)
            return self.done(request, "The champion answers every case again.", row)

        intro = f"{row.champion} answers every case again. It cannot be resumed."
        page = FormPage(f"Stop the rollout of {row.challenger}?", "Stop", intro=intro, danger=True)
        return self.form_page(request, page=page, form=bound(ReasonForm, request), submit=submit, row=row)

    def promote(self, request: HttpRequest, row: Rollout) -> HttpResponse:
        """Make the challenger the champion now."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            if data["override"]:
                demand(request.user, Capability.APPROVE, "Only approvers pass over failed gates.", row)
            rollouts.promote_challenger(rollout=row, reason=data["reason"], override=data["override"], by=by)
            return self.done(request, f"{row.challenger} is now the champion.", row)

        intro = row.verdict.get("sentence", "Nothing is known of it yet.")
        page = FormPage(f"Promote {row.challenger} now?", "Promote", intro=intro)
        return self.form_page(request, page=page, form=bound(PromoteForm, request), submit=submit, row=row)

    def weigh(self, request: HttpRequest, row: Rollout) -> HttpResponse:
        """Weigh the outcomes now, and do what follows."""
        after = tend(rollout=row, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
        return self.done(request, after.outcome or after.verdict["sentence"], after)


def has_champion_beside(version: ModelVersion) -> bool:
    """Tell whether the version could be a challenger."""
    return promotable(version) and champion_of(version.model) is not None


def start_page(request: HttpRequest, version: ModelVersion) -> HttpResponse:
    """Ask how, then start the rollout."""
    pages = console._registry[Rollout]
    assert isinstance(pages, RolloutAdmin)  # noqa: S101  # registered above

    def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
        given = dict(data)
        plan = given.pop("plan")
        made = rollouts.start_rollout(
            model=version.model,
            challenger=version,
            plan=plan_from_text(plan) if plan.strip() else None,
            by=by,
            **given,
        )
        return pages.done(request, f"{version} answers {share_text(made)} of the cases.", made)

    intro = (
        "It answers some of the real cases, each case always by the same version. As soon as the outcomes "
        "that come back prove that it is worse, the champion has every case again; once they prove that it "
        "is good, it is promoted, if you wish."
    )
    form: ConsoleForm = bound(RolloutForm, request)
    page = FormPage(f"Roll out {version}", "Start", intro=intro)
    return pages.form_page(request, page=page, form=form, submit=submit, row=version)


version_commands.append(
    Command(
        "roll-out",
        "Roll out",
        Capability.DEPLOY,
        "call_split",
        available=has_champion_beside,
        view=start_page,
    )
)
