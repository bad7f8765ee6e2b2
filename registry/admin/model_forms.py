"""The forms of a model: a new one, what may be changed of it, and the way back to an earlier champion."""

from typing import Any

from django import forms

from mlplatform.admin.forms import ConsoleForm, ReasonForm
from registry.models import Dataset, ModelVersion
from registry.models.registered_model import CheckPolicy, LogWriting, ProblemKind


class ModelForm(ConsoleForm):
    """A new model."""

    name = forms.CharField(max_length=100, help_text="Used in the API's addresses, for example churn-risk.")
    problem_type = forms.ChoiceField(
        choices=[("", "Tell it from the target"), *ProblemKind.choices],
        required=False,
        label="Kind of problem",
        help_text="Classification predicts one of several answers, regression a number; anomaly detection "
        "finds unusual rows, clustering groups of like rows.",
    )
    target = forms.CharField(
        max_length=200,
        required=False,
        label="Target column",
        help_text="The column to predict, spelt as in the data. Of anomalies a column that marks known ones, "
        "or none; of clusters none.",
    )
    dataset: "forms.ModelChoiceField[Dataset]" = forms.ModelChoiceField(
        queryset=None,
        required=False,
        label="Data to tell it from",
        help_text="Where you leave the kind of problem open: it is read off the target's values there.",
    )
    description = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What it is for, and who answers for it.",
    )
    field_order = ("name", "target", "problem_type", "dataset", "description")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["dataset"].queryset = Dataset.objects.defer("profile")  # type: ignore[attr-defined]  # a model choice


class ChangeForm(ConsoleForm):
    """What may be changed of a model."""

    description = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 4}))
    data_checks = forms.ChoiceField(
        choices=CheckPolicy.choices,
        label="Checks before training",
        help_text="What to do where they find something: leakage, repeated rows, empty columns and the like.",
    )
    log_writing = forms.ChoiceField(
        choices=LogWriting.choices,
        label="Log of predictions",
        help_text="When answers are written. In the background is faster; what a killed server process had "
        "answered in its last moments may be missing from the log.",
    )


class RollbackForm(ReasonForm):
    """Which earlier champion, and why."""

    to = forms.TypedChoiceField(coerce=int, label="Back to", widget=forms.Select)
    field_order = ("to", "reason")

    def __init__(self, *args: Any, earlier: list[ModelVersion], **kwargs: Any) -> None:
        choices = [
            (version.pk, f"v{version.number}, {version.algorithm.replace('_', ' ')}") for version in earlier
        ]
        super().__init__(*args, **kwargs)
        self.fields["to"].choices = choices  # type: ignore[attr-defined]  # a choice field
