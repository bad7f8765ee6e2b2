"""The page that tells why a prediction came out as it did."""

from typing import cast

from django.http import HttpRequest, HttpResponse

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.commands import Command
from mlplatform.admin.extensions import prediction_commands
from mlplatform.admin.links import page_url
from mlplatform.admin.parts import Button, Facts, Table
from mlplatform.admin.pictures import plots
from mlplatform.admin.render import number
from mlplatform.admin.site import console
from mlplatform.pictures import Bar, Figure, bars
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability
from registry.models import Prediction
from registry.services.explaining import explain_prediction
from registry.services.explanations import Explained

SHOWN = 12
METHODS = {
    "shap": "Shapley values: each value's fair share of the way from the usual answer to this one.",
    "surrogate": "A simple stand-in that was fitted to the model around this row (LIME).",
}


def explain(request: HttpRequest, prediction: Prediction) -> HttpResponse:
    """Show what pushed the answer up and what pushed it down."""
    found = explain_prediction(pk=prediction.pk, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
    parts = found.explanation.contributions[:SHOWN]
    what = f"probability of {found.label}" if found.label else found.version.model.target
    shown = [Bar(_name(found, part.feature), part.effect) for part in parts]
    figure = Figure(
        f"What moved the {what}",
        bars(shown, axis=f"Change of the {what}", title=f"What moved the {what}"),
        f"To the right: pushed up. To the left: pushed down. Usual is {number(found.explanation.base)}; "
        f"this row got {number(found.explanation.answer)}.",
    )
    sections = [
        plots("Why this answer?", [figure], METHODS[found.explanation.method]),
        Table("In words", ["The largest first"], [[text] for text in found.sentences[:SHOWN]], wide=False),
        _trust(found),
    ]
    registered = cast(PlatformModelAdmin, console.get_model_admin(Prediction))
    back = [Button("Back", page_url(prediction), "arrow_back")]
    return registered.render(
        request,
        "admin/pages/object.html",
        prediction,
        title="Why this answer?",
        sections=sections,
        buttons=back,
    )


def _name(found: Explained, feature: str) -> str:
    return f"{feature} = {found.values[feature]}" if feature in found.values else feature


def _trust(found: Explained) -> Facts:
    fidelity = found.explanation.fidelity
    rows: list[tuple[str, object]] = [("Version", found.version), ("Method", found.explanation.method)]
    if fidelity is not None:
        rows.append(("The stand-in follows the model by", f"{fidelity:.0%}"))
    note = "It tells what moved the model, not what causes what in the world."
    return Facts("How to read it", rows, note=note)


prediction_commands.append(Command("explain", "Why this answer?", Capability.VIEW, "help", view=explain))
