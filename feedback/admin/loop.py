"""What feedback adds to the pages of models and predictions."""

from datetime import timedelta

from feedback.admin.labelling import labelling_url
from feedback.admin.outcomes import currency
from feedback.admin.ratings import opinion, standing
from feedback.models import Outcome, Rating
from feedback.services.agreement import agreement_of
from feedback.services.delays import label_delay
from mlplatform.admin.extensions import (
    model_buttons,
    model_sections,
    model_steps,
    prediction_buttons,
    prediction_sections,
)
from mlplatform.admin.links import add_url, list_url
from mlplatform.admin.parts import Button, Facts, Section, Step, Table
from mlplatform.admin.render import ago, duration
from mlplatform.tenancy.permissions import Capability
from registry.models import Prediction, RegisteredModel


@model_steps.at(60)
def outcomes_step(model: RegisteredModel) -> Step:
    """Return the outcomes that are known."""
    rows = Outcome.objects.filter(model=model, current=True)
    newest = rows.only("received_at").first()
    return Step(
        "Outcomes",
        "fact_check",
        rows.count(),
        ago(newest.received_at) if newest else None,
        list_url("feedback.outcome", model__id__exact=model.pk),
        "info" if newest else "muted",
    )


@model_sections.at(28)
def delay_section(model: RegisteredModel) -> Section | None:
    """Return how late outcomes come, once there are any."""
    found = label_delay(model)
    if found.median_seconds is None or found.p90_seconds is None:
        return None
    return Facts(
        "How late outcomes come",
        [
            ("Half of them within", duration(timedelta(seconds=found.median_seconds))),
            ("Nine tenths within", duration(timedelta(seconds=found.p90_seconds))),
            ("Measured on", f"{found.count:,} outcomes, the newest"),
        ],
        note="From the prediction to its first outcome. Predictions whose outcome is still to come are not "
        "counted, so the true delay may be longer.",
    )


@model_sections.at(29)
def agreement_section(model: RegisteredModel) -> Section | None:
    """Return how far the people who label agree, once two have labelled the same rows."""
    found = agreement_of(model)
    if not found.overall.rows:
        return None
    lines = [(" and ".join(one.people), one) for one in found.pairs]
    rows = [
        [who, one.rows, f"{one.share or 0:.0%}", "–" if one.kappa is None else f"{one.kappa:.2f}"]
        for who, one in [("All", found.overall), *lines]
    ]
    return Table(
        "How far people who label agree",
        ["Who", "Rows labelled twice", "Agreed", "Cohen's kappa"],
        rows,
        note="A kappa of 1 is full agreement, 0 is what chance gives; below 0.6 the question is unclear, or "
        "the people need more guidance.",
        wide=False,
    )


@model_buttons.at(30)
def label_button(model: RegisteredModel) -> Button:
    """Return the way to label the model's rows."""
    return Button("Label", labelling_url(model=model.pk), "label", Capability.FEEDBACK)


@prediction_sections.at(10)
def outcomes_of(prediction: Prediction) -> Section:
    """Return what the prediction turned out to be, with earlier reports."""
    rows = Outcome.objects.filter(prediction=prediction).select_related("quarantine")
    return Table(
        "What really happened",
        ["Outcome", "State", "Observed", "Received", "From"],
        [
            [row.label or row.value, currency(row), row.observed_at, row.received_at, row.received_from]
            for row in rows
        ],
        empty="Not known yet.",
        wide=False,
    )


@prediction_sections.at(12)
def ratings_of(prediction: Prediction) -> Section | None:
    """Return what people think of the answer, once somebody said so."""
    rows = [
        [opinion(row), row.comment, standing(row), row.received_at, row.received_from]
        for row in Rating.objects.filter(prediction=prediction)
    ]
    if not rows:
        return None
    return Table("Ratings and comments", ["Rating", "Comment", "State", "Received", "From"], rows, wide=False)


@prediction_buttons.at(10)
def outcome_button(prediction: Prediction) -> Button:
    """Return the way to report an outcome."""
    address = add_url("feedback.outcome", prediction=prediction.pk)
    return Button("Add outcome", address, "fact_check", Capability.FEEDBACK, "primary")
