"""The part of the job form that tells an automatic search what it is for."""

from collections.abc import Mapping
from typing import Any

from django import forms

from mlplatform.admin.forms import ConsoleForm
from registry.models import RegisteredModel
from training.automl.scoring import OBJECTIVES


class AutoMLForm(ConsoleForm):
    """Fields of AutoML; the other ways to search pass them over."""

    aim = forms.ChoiceField(
        required=False, label="AutoML aims at", help_text="The leaderboard ranks by it as well."
    )
    per_millisecond = forms.FloatField(
        min_value=0,
        max_value=1e6,
        required=False,
        label="Worth of a millisecond",
        help_text="AutoML weighs quality against the time of an answer: how much of that measure one "
        "millisecond more must bring. Empty: quality alone decides.",
    )
    one_model = forms.BooleanField(
        required=False,
        label="One model alone",
        help_text="AutoML joins no ensemble, which may be better but takes its members' time together.",
    )

    def offer_aims(self, model: RegisteredModel) -> None:
        """Offer what can be aimed at for the model's kind of problem."""
        offered = [
            (name, model.problem.metric(name).title) for name in OBJECTIVES.get(model.problem_type, ())
        ]
        field: Any = self.fields["aim"]
        field.choices = [("", "As the leaderboard usually ranks"), *offered]


def chosen_automl(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the form's fields mean among a job's settings of AutoML."""
    found: dict[str, Any] = {"seconds": 60 * data["minutes"]} if data["minutes"] else {}
    if data.get("aim"):
        found["metric"] = data["aim"]
    if data.get("per_millisecond"):
        found["per_millisecond"] = data["per_millisecond"]
    if data.get("one_model"):
        found["ensemble"] = False
    return found


def automl_shown_first(stated: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what the fields show at first for a job with these settings."""
    if not stated:
        return {}
    return {
        "aim": stated.get("metric"),
        "per_millisecond": stated.get("per_millisecond") or None,
        "one_model": not stated.get("ensemble", True),
    }
