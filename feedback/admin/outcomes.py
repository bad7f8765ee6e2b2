"""Outcomes: added one by one or from a file."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import RangeDateTimeFilter, RelatedDropdownFilter

from feedback.models import Outcome
from feedback.services.imports import import_outcomes
from feedback.services.outcomes import ModelCheck, OutcomeItem, OutcomeResult, record_outcomes
from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.forms import ConsoleForm, bound
from mlplatform.admin.links import page_url
from mlplatform.admin.parts import Badge, Facts, Section
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability, demand
from registry.models import Prediction
from registry.services.pseudonyms import entity_pseudonym


class OutcomeForm(ConsoleForm):
    """One outcome."""

    prediction = forms.UUIDField(
        label="Prediction id", help_text="As the API returned it, or from its page here."
    )
    value = forms.CharField(
        max_length=200, label="What really happened", help_text="One of the model's classes, or a number."
    )


class OutcomeFileForm(ConsoleForm):
    """Many outcomes."""

    file = forms.FileField(help_text="A CSV file in UTF-8 with the columns prediction_id and outcome.")
    partial = forms.BooleanField(
        required=False, label="Record the good rows even if others are wrong", help_text="Else all or none."
    )


def currency(outcome: Outcome) -> Badge:
    """Return whether the outcome still counts."""
    return Badge("Current", "good") if outcome.current else Badge("Corrected later", "muted")


def summary(result: OutcomeResult) -> str:
    """Return what came of a report, in a sentence."""
    words = [f"{result.accepted:,} recorded"]
    words += [f"{result.corrected:,} of them corrections"] if result.corrected else []
    words += [f"{result.repeated:,} known already"] if result.repeated else []
    words += [f"{len(result.errors):,} left out"] if result.errors else []
    return f"{', '.join(words)}."


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
    list_select_related = ["model", "prediction"]
    list_filter = [
        ("model", RelatedDropdownFilter),
        "current",
        "source",
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
                ("Received", row.received_at),
                ("From", f"{row.received_from} ({row.source})"),
            ],
            wide=True,
        )

    def add_page(self, request: HttpRequest) -> HttpResponse:
        """Take one outcome; another value for the same prediction is a correction."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            item = OutcomeItem(data["prediction"], data["value"].strip())
            result = record_outcomes(items=[item], source="console", by=by, check=self._check(request))
            return self.done(
                request, summary(result), page_url(Prediction.objects.get(pk=data["prediction"]))
            )

        page = FormPage(
            "Add an outcome", "Record", intro="Sending another value later corrects the first one."
        )
        return self.form_page(request, page=page, form=bound(OutcomeForm, request), submit=submit)

    def import_file(self, request: HttpRequest) -> HttpResponse:
        """Take a file of outcomes."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            result = import_outcomes(
                file=data["file"], by=by, partial=data["partial"], check=self._check(request)
            )
            return self.done(request, summary(result))

        page = FormPage("Import outcomes", "Import", intro="One row for each prediction.")
        return self.form_page(request, page=page, form=bound(OutcomeFileForm, request), submit=submit)

    def _check(self, request: HttpRequest) -> ModelCheck:
        why = "You may not give outcomes to every one of these models."
        return partial(demand, request.user, Capability.FEEDBACK, why)
