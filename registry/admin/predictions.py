"""The log of what was asked and answered."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.contrib.filters.admin import FieldTextFilter, RangeDateTimeFilter, RelatedDropdownFilter

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command
from mlplatform.admin.extensions import prediction_buttons, prediction_commands, prediction_sections
from mlplatform.admin.parts import Button, Facts, Meter, Section, Table
from mlplatform.admin.render import number, show
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from registry.inference.engines import ENGINE_WORDS
from registry.models import Prediction
from registry.models.registered_model import ProblemKind
from registry.problems.anomaly import ANOMALY
from registry.services.prediction_reads import read_prediction, record_log_read
from registry.services.pseudonyms import entity_pseudonym


def score_meter(prediction: Prediction) -> Meter:
    """Return an anomaly's score as a meter, red where it was flagged."""
    flagged = prediction.label == ANOMALY
    return Meter(prediction.value or 0.0, f"{prediction.value or 0.0:.1%}", "bad" if flagged else "good")


def number_facts(prediction: Prediction) -> list[tuple[str, Any]]:
    """Return the number behind a label, in words."""
    if not prediction.label or prediction.value is None:
        return []
    if prediction.model.problem_type == ProblemKind.ANOMALY_DETECTION:
        told = f"{prediction.value:.1%} of the training rows are less unusual"
        return [("Score", score_meter(prediction)), ("In words", told)]
    return [("Distance to its cluster", prediction.value)]


@admin.register(Prediction, site=console)
class PredictionAdmin(PlatformModelAdmin):
    """Rows asked and answered."""

    list_display = [
        cell("created_at", "When"),
        "answer",
        "certainty",
        cell("model", "Model"),
        cell("version", "Version"),
        cell("entity_key", "Case (pseudonym)"),
        "asked_by",
    ]
    list_select_related = ["model", "version__model"]
    list_filter = [
        ("model", RelatedDropdownFilter),
        ("version", RelatedDropdownFilter),
        ("label", FieldTextFilter),
        ("created_at", RangeDateTimeFilter),
    ]
    list_filter_submit = True
    search_fields = ["=id", "=label", "=request_id"]
    search_help_text = "A case's name, a prediction's id, a class, or a request's id."
    empty_title = "Nothing has been asked yet"
    empty_hint = "Promote a version, then send rows to /api/v1/models/<name>/predict with an API key."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Prediction], search_term: str
    ) -> tuple[QuerySet[Prediction], bool]:
        """Find a case by the client's own name for it, too, of which the log keeps the pseudonym."""
        found, doubled = super().get_search_results(request, queryset, search_term)
        named = queryset.filter(entity_key=entity_pseudonym(search_term.strip())) if search_term else found
        return found | named, doubled

    @admin.display(description="Answer")
    def answer(self, prediction: Prediction) -> str:
        """The predicted class or number."""
        return show(prediction.label or prediction.value)

    @admin.display(description="Certainty")
    def certainty(self, prediction: Prediction) -> str:
        """The probability of the predicted class, or the number behind a label, where there is one."""
        if prediction.label and prediction.value is not None and not prediction.probabilities:
            anomalous = prediction.model.problem_type == ProblemKind.ANOMALY_DETECTION
            return show(score_meter(prediction) if anomalous else f"distance {number(prediction.value)}")
        shares = prediction.probabilities or {}
        return show(Meter(shares[prediction.label]) if prediction.label in shares else None)

    def sections(self, request: HttpRequest, row: Prediction) -> Iterable[Section | None]:
        """Return the answer, what is known of its outcome, and the features."""
        yield Facts(
            "Answer",
            [
                ("Answer", row.label or row.value),
                *number_facts(row),
                ("Model", row.model),
                ("Version", row.version),
                ("Case (pseudonym)", row.entity_key),
                ("Asked", row.created_at),
                ("Asked by", row.asked_by),
                ("Computed by", ENGINE_WORDS.get(row.engine)),
                ("Answered in", f"{number(row.latency_ms)} ms"),
                ("Request", row.request_id),
                ("Prediction id", str(row.pk)),
            ],
        )
        for make in prediction_sections:
            yield make(row)
        if row.probabilities:
            shares = sorted(row.probabilities.items(), key=lambda item: -item[1])
            rows = [[name, Meter(share, f"{share:.1%}")] for name, share in shares]
            yield Table("Probabilities", ["Class", "Probability"], rows, wide=False)
        yield Facts("Features", list(row.features.items()))

    def all_commands(self) -> Sequence[Command]:
        """Return the commands that other parts add."""
        return prediction_commands

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show a page of the log, and record who read it."""
        answer = super().changelist_view(request, extra_context)
        if isinstance(answer, TemplateResponse) and answer.context_data and "cl" in answer.context_data:
            shown = len(answer.context_data["cl"].result_list)
            by = Actor.of(request.user)  # type: ignore[arg-type]  # signed in
            record_log_read(by=by, rows=shown, asked=dict(request.GET.items()))
        return answer

    def object_page(self, request: HttpRequest, row: Prediction) -> HttpResponse:
        """Show the prediction, and record who read it."""
        by = Actor.of(request.user)  # type: ignore[arg-type]  # signed in
        return super().object_page(request, read_prediction(pk=row.pk, by=by))

    def buttons(self, request: HttpRequest, row: Prediction) -> Iterable[Button]:
        """Offer what other parts do with a prediction."""
        return [make(row) for make in prediction_buttons]
