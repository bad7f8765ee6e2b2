"""Outcomes: added one by one or from a file."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import RangeDateTimeFilter, RelatedDropdownFilter

from feedback.models import Outcome
from feedback.models.quarantine import QuarantineState
from feedback.models.rating import Stars
from feedback.services.imports import import_outcomes
from feedback.services.opinions import LONGEST_COMMENT
from feedback.services.outcome_files import form_of
from feedback.services.outcomes import ModelCheck, OutcomeItem, OutcomeResult, record_outcomes
from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.forms import ConsoleForm, bound
from mlplatform.admin.links import list_url, page_url
from mlplatform.admin.parts import Badge, Button, Facts, Section, Table
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability, demand
from registry.models import Prediction, RegisteredModel
from registry.services.pseudonyms import entity_pseudonym

MOST_SHOWN = 200
COLUMNS = (
    "CSV in UTF-8 (or JSON Lines, *.jsonl) with the columns prediction_id, or entity_key, and outcome, "
    "rating or comment; observed_at where it is known, such as 2026-03-01T09:30:00Z."
)


class OutcomeForm(ConsoleForm):
    """One outcome."""

    prediction = forms.UUIDField(
        label="Prediction id",
        required=False,
        help_text="As the API returned it, or from its page here.",
    )
    entity_key = forms.CharField(
        max_length=200,
        required=False,
        label="Or your own key for the case",
        help_text="As your programs send it with predictions; then choose the model, too.",
    )
    model = forms.ModelChoiceField(
        queryset=RegisteredModel.objects.all(), required=False, empty_label="The prediction's"
    )
    value = forms.CharField(
        max_length=200,
        required=False,
        label="What really happened",
        help_text="One of the model's classes, or a number.",
    )
    observed_at = forms.CharField(
        max_length=40,
        required=False,
        label="When it happened",
        help_text="Such as 2026-03-01T09:30:00+01:00; now where left empty. The newest outcome counts.",
    )

    rating = forms.ChoiceField(
        choices=[("", "None"), *Stars.choices], required=False, label="How good was the answer?"
    )
    comment = forms.CharField(
        max_length=LONGEST_COMMENT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="With a rating or a comment, what happened may be left out.",
    )

    def item(self) -> OutcomeItem:
        """Return what was filled in, as the service takes it."""
        data = self.cleaned_data
        return OutcomeItem(
            data["prediction"] or "",
            data["value"].strip(),
            data["entity_key"],
            data["model"].name if data["model"] else "",
            data["observed_at"].strip(),
            data["rating"],
            data["comment"],
        )


class OutcomeFileForm(ConsoleForm):
    """Many outcomes."""

    file = forms.FileField(help_text=COLUMNS)
    model = forms.ModelChoiceField(
        queryset=RegisteredModel.objects.all(),
        required=False,
        empty_label="As each row says",
        help_text="The model of rows that name a case by its entity_key and no model.",
    )
    hold = forms.BooleanField(
        required=False,
        initial=True,
        label="Hold rows whose prediction is not known",
        help_text="They count once it arrives. Else such rows are wrong.",
    )
    partial = forms.BooleanField(
        required=False, label="Record the good rows even if others are wrong", help_text="Else all or none."
    )


def currency(outcome: Outcome) -> Badge:
    """Return whether the outcome still counts."""
    case = outcome.quarantine
    if case is not None and case.state != QuarantineState.RELEASED:
        return Badge("Set aside", "warn") if case.state == QuarantineState.OPEN else Badge("Rejected", "bad")
    return Badge("Current", "good") if outcome.current else Badge("Corrected later", "muted")


def summary(result: OutcomeResult) -> str:
    """Return what came of a report, in a sentence."""
    words = [f"{result.accepted:,} recorded"]
    words += [f"{result.corrected:,} of them corrections"] if result.corrected else []
    words += [f"{result.quarantined:,} set aside as suspicious"] if result.quarantined else []
    words += [f"{result.rated:,} ratings and comments"] if result.rated else []
    words += [f"{result.held:,} held until their prediction is known"] if result.held else []
    words += [f"{result.outdated:,} older than what counts"] if result.outdated else []
    words += [f"{result.repeated:,} known already"] if result.repeated else []
    words += [f"{len(result.errors):,} left out"] if result.errors else []
    return f"{', '.join(words)}."


def result_sections(result: OutcomeResult, *, preview: bool) -> list[Section]:
    """Return how many rows came to what, and which were left out, by their numbers."""
    verb = "would be" if preview else "were"
    counts = Facts(
        "What would come of it" if preview else "What came of it",
        [
            ("In short", summary(result)),
            (f"Rows that {verb} recorded", result.accepted),
            ("Of these, corrections of another value", result.corrected),
            ("Of these, older than what counts already, kept as history", result.outdated),
            (f"Of these, {verb} set aside as suspicious", result.quarantined),
            ("Rows that say what was known", result.repeated),
            ("Ratings and comments", result.rated),
            (f"Rows that {verb} held until their prediction is known", result.held),
            (f"Rows that {verb} refused", result.refused),
        ],
        wide=True,
    )
    shown = result.errors[:MOST_SHOWN]
    refused = Table(
        "Refused rows",
        ["Row", "About", "Why"],
        [[row["index"] + 1, row["prediction_id"], row["message"]] for row in shown],
        empty="None.",
        note="Rows are counted from 1 below the header."
        + (f" These are the first {MOST_SHOWN}." if result.refused > MOST_SHOWN else ""),
    )
    return [counts, refused]


@admin.register(Outcome, site=console)
class OutcomeAdmin(PlatformModelAdmin):
    """What predictions turned out to be."""

    can_add = of_a_model = True
    add_title = "Add outcome"
    list_display = [
        cell("received_at", "Received"),
        "what",
        "predicted",
        cell("model", "Model"),
        "counts",
        "source",
        "received_from",
    ]
    list_select_related = ["model", "prediction", "quarantine"]
    list_filter = [
        ("model", RelatedDropdownFilter),
        "current",
        "source",
        ("quarantine", RelatedDropdownFilter),
        ("received_at", RangeDateTimeFilter),
    ]
    list_filter_submit = True
    search_fields = ["=prediction__id", "label", "received_from"]
    list_commands = (Command("import-file", "Import from file", Capability.FEEDBACK, "upload_file"),)
    empty_title = "No outcome yet"
    empty_hint = "Tell the platform what really happened: by hand, from a CSV file, or over the API."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Outcome], search_term: str
    ) -> tuple[QuerySet[Outcome], bool]:
        """Find a case's outcomes by the client's own name for it, too."""
        found, doubled = super().get_search_results(request, queryset, search_term)
        case = entity_pseudonym(search_term.strip())
        return found | queryset.filter(prediction__entity_key=case) if case else found, doubled

    @admin.display(description="What happened")
    def what(self, outcome: Outcome) -> str:
        """The true class or number."""
        return show(outcome.label or outcome.value)

    @admin.display(description="Predicted")
    def predicted(self, outcome: Outcome) -> str:
        """What the model had said."""
        answer = outcome.prediction.label or outcome.prediction.value
        if outcome.label:
            return show(Badge(str(answer), "good" if answer == outcome.label else "bad"))
        return show(answer)

    @admin.display(description="State", ordering="current")
    def counts(self, outcome: Outcome) -> str:
        """Whether it still counts."""
        return show(currency(outcome))

    def sections(self, request: HttpRequest, row: Outcome) -> Iterable[Section | None]:
        """Return the outcome beside the prediction."""
        yield Facts(
            "Outcome",
            [
                ("What happened", row.label or row.value),
                ("Predicted", row.prediction),
                ("Model", row.model),
                ("State", currency(row)),
                ("Quarantine", row.quarantine),
                ("Observed", row.observed_at),
                ("Received", row.received_at),
                ("From", f"{row.received_from} ({row.source})"),
            ],
            wide=True,
        )

    def add_page(self, request: HttpRequest) -> HttpResponse:
        """Take one outcome; another value for the same prediction is a correction."""

        form = bound(OutcomeForm, request)

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            result = record_outcomes(items=[form.item()], source="console", by=by, check=self._check(request))
            asked = data["prediction"]
            target = page_url(Prediction.objects.get(pk=asked)) if asked and not result.held else None
            return self.done(request, summary(result), target)

        page = FormPage(
            "Add an outcome", "Record", intro="Sending another value later corrects the first one."
        )
        return self.form_page(request, page=page, form=form, submit=submit)

    def import_file(self, request: HttpRequest) -> HttpResponse:
        """Take a file of outcomes, or tell what would come of it."""
        form, preview = bound(OutcomeFileForm, request), "preview" in request.POST
        page = FormPage(
            "Import outcomes",
            "Import",
            intro="One row for each outcome. A preview records nothing; choose the file again to import it.",
            second=("preview", "Preview"),
        )

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            file, model = data["file"], data["model"]
            result = import_outcomes(
                file=file,
                form=form_of(file.name),
                model=model.name if model else "",
                by=by,
                partial=data["partial"],
                check=self._check(request),
                preview=preview,
                hold_unknown=data["hold"],
            )
            sections = result_sections(result, preview=preview)
            if preview:
                return self.show_form(request, page=replace(page, sections=sections), form=form)
            back = [Button("All outcomes", list_url(self.opts.label_lower), "arrow_back")]
            return self.render(
                request, "admin/pages/object.html", title="Imported", sections=sections, buttons=back
            )

        return self.form_page(request, page=page, form=form, submit=submit)

    def _check(self, request: HttpRequest) -> ModelCheck:
        why = "You may not give outcomes to every one of these models."
        return partial(demand, request.user, Capability.FEEDBACK, why)
