"""Labelling by hand: the page that asks row by row, and what came of it."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.contrib.filters.admin import RelatedDropdownFilter

from feedback.models import LabelItem
from feedback.models.label import LabelState
from feedback.services.candidates import Candidate, Reason, choices_of, labelling_queue
from feedback.services.labelling import UNDECIDED, decide, give_label, label_items, skip_label
from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.extensions import navigation_badges
from mlplatform.admin.forms import ConsoleForm, bound
from mlplatform.admin.links import list_command_url, page_url
from mlplatform.admin.parts import Badge, Facts, Link, Section, Table, Tone
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from mlplatform.errors import NotFound, PlatformError
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability, allowed_models, can, demand
from mlplatform.tenancy.refusals import mark_refused
from registry.models import RegisteredModel
from registry.services.serving import find_prediction

TONES: dict[str, Tone] = {
    LabelState.SKIPPED: "muted",
    LabelState.WAITING: "info",
    LabelState.DISPUTED: "warn",
    LabelState.SETTLED: "good",
}
REASONS = {
    "": "Most worth a label",
    Reason.UNCERTAIN: "Uncertain",
    Reason.DRIFTED: "Unlike the training rows",
    Reason.DISAGREEING: "Answered otherwise in shadow",
}
WHY = {
    Reason.UNCERTAIN: "the model was less sure of it than of {share} of the rows",
    Reason.DRIFTED: "it is less like the training rows than {share} of the rows",
    Reason.DISAGREEING: "another version answers it otherwise",
}
NOTHING = (
    "The outcome of every newer prediction is known, or you have labelled or skipped it. Choose another "
    "model, or come back when it was asked again."
)


class LabelForm(ConsoleForm):
    """One answer."""

    prediction = forms.UUIDField()
    value = forms.CharField(max_length=200, required=False)
    skip = forms.BooleanField(required=False)
    second = forms.BooleanField(required=False)


class DecideForm(ConsoleForm):
    """What it is, and why."""

    value = forms.CharField(max_length=200, label="What really happened", help_text="A class, or a number.")
    reason = forms.CharField(max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


def state_badge(item: LabelItem) -> Badge:
    """Return where the labelling stands."""
    return Badge(LabelState(item.state).label, TONES[item.state])


def is_undecided(item: LabelItem) -> bool:
    """Tell whether there is something to decide."""
    return item.state in UNDECIDED


def disputed_badge() -> str:
    """Return how many rows wait for a decision, for the sidebar."""
    return str(LabelItem.objects.filter(state=LabelState.DISPUTED).count() or "")


navigation_badges["feedback.labelitem"] = disputed_badge


def labelling_url(**asked: Any) -> str:
    """Return the address of the page that asks."""
    return f"{list_command_url('feedback.labelitem', 'label')}?{urlencode(asked)}"


def why(candidate: Candidate) -> str:
    """Return why the row is asked about, in a sentence."""
    share = f"{candidate.worth:.0%}"
    shares = [share, *["most"] * len(candidate.reasons)]
    told = [WHY[reason].format(share=one) for reason, one in zip(candidate.reasons, shares, strict=False)]
    return f"Asked because {' and '.join(told)}." if told else "Asked because its outcome is not known."


@admin.register(LabelItem, site=console)
class LabelItemAdmin(PlatformModelAdmin):
    """Rows that people labelled, or were asked to."""

    of_a_model = True
    list_display = [
        cell("created_at", "First asked"),
        "about",
        cell("model", "Model"),
        "stands",
        "twice",
        cell("settled_by", "Settled by"),
    ]
    list_filter = ["state", ("model", RelatedDropdownFilter), "second"]
    search_fields = ["=prediction__id", "settled_by"]
    list_commands = (Command("label", "Label", Capability.FEEDBACK, "label", "primary"),)
    commands = (Command("decide", "Decide", Capability.FEEDBACK, "gavel", "primary", available=is_undecided),)
    empty_title = "Nobody has labelled a row yet"
    empty_hint = "Label asks for the rows that tell most: press a key for each, and go on to the next."

    def get_queryset(self, request: HttpRequest) -> QuerySet[LabelItem]:
        """Return the rows with their labels."""
        return label_items()

    @admin.display(description="Prediction")
    def about(self, item: LabelItem) -> str:
        """The prediction, by its id: what the model answered would lead whoever labels it."""
        return show(_link(item))

    @admin.display(description="State", ordering="state")
    def stands(self, item: LabelItem) -> str:
        """Where it stands."""
        return show(state_badge(item))

    @admin.display(description="Opinions", ordering="second")
    def twice(self, item: LabelItem) -> str:
        """Whether two people are asked."""
        return "two" if item.second else "one"

    def sections(self, request: HttpRequest, row: LabelItem) -> Iterable[Section | None]:
        """Return what was said, once it leads nobody any more."""
        yield Facts(
            "Labelled row",
            [
                ("State", state_badge(row)),
                ("Prediction", _link(row)),
                ("Model", row.model),
                ("Opinions wanted", "two" if row.second else "one"),
                ("Settled", row.settled_at),
                ("By", row.settled_by),
                ("Why", row.reason),
            ],
            wide=True,
        )
        hidden = row.state in {LabelState.WAITING, LabelState.SKIPPED}
        said = [
            [
                one.person,
                "skipped" if one.skipped else "not shown yet" if hidden else one.told,
                one.created_at,
            ]
            for one in row.labels.all()
        ]
        note = "What was said is shown once nobody's second opinion is waited for." if hidden else ""
        yield Table("What people said", ["Who", "What", "When"], said, note=note)

    def decide(self, request: HttpRequest, row: LabelItem) -> HttpResponse:
        """Ask what it is and why, then record it as the outcome."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            owner = can(request.user, Capability.ADMIN)
            decide(item=row, by=by, owner=owner, value=data["value"].strip(), reason=data["reason"])
            return self.done(request, "It is decided, and recorded as the outcome.", row)

        page = FormPage(
            "What is it?",
            "Decide",
            intro="Somebody who is none of the two decides, or an admin. Then it counts as the outcome.",
            sections=[one for one in self.sections(request, row) if one is not None],
        )
        return self.form_page(request, page=page, form=bound(DecideForm, request), submit=submit, row=row)

    def label(self, request: HttpRequest) -> HttpResponse:
        """Ask for the label of one row after the other."""
        models = list(allowed_models(request.user, Capability.FEEDBACK).order_by("name"))
        asked = request.GET.get("model", "")
        model = next((one for one in models if str(one.pk) == asked), models[0] if models else None)
        reason = request.GET.get("reason", "")
        reason = reason if reason in REASONS else ""
        if request.method == "POST":
            self._take(request, bound(LabelForm, request))
            return HttpResponseRedirect(labelling_url(model=model.pk if model else "", reason=reason))
        by = Actor.of(request.user)  # type: ignore[arg-type]  # signed in
        wanted = Reason(reason) if reason else None
        queue = labelling_queue(model=model, by=by, reason=wanted, limit=1) if model else []
        return self.render(
            request,
            "admin/pages/labelling.html",
            title="Label",
            models=models,
            model=model,
            reason=reason,
            reasons=list(REASONS.items()),
            nothing=NOTHING,
            **(_shown(queue[0], model) if queue and model else {}),
        )

    def _take(self, request: HttpRequest, form: LabelForm) -> None:
        """Record the answer; what cannot be is said above the next row."""
        if not form.is_valid():
            messages.error(request, "That answer cannot be read. Choose one of the buttons.")
            return
        data, by = form.cleaned_data, Actor.of(request.user)  # type: ignore[arg-type]  # signed in
        try:
            prediction = find_prediction(data["prediction"])
            demand(request.user, Capability.FEEDBACK, "You may not label this model's rows.", prediction)
            if data["skip"]:
                skip_label(prediction=prediction, by=by)
            else:
                give_label(prediction=prediction, value=data["value"].strip(), by=by, second=data["second"])
        except PlatformError as error:
            if isinstance(error, NotFound):
                mark_refused(request)
            messages.error(request, error.detail)


def _link(item: LabelItem) -> Link:
    return Link(str(item.prediction_id), page_url(item.prediction))


def _shown(candidate: Candidate, model: RegisteredModel) -> dict[str, Any]:
    rows = list(candidate.prediction.features.items())
    return {
        "candidate": candidate,
        "choices": choices_of(candidate.prediction.version),
        "question": f"{model.target or 'What was it'}?",
        "why": why(candidate),
        "sections": [Facts("The row", rows), Facts("Asked", [("When", candidate.prediction.created_at)])],
    }
