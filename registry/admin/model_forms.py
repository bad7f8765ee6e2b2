"""The forms of a model: a new one, what may be changed of it, and the way back to an earlier champion."""

from collections.abc import Sequence
from typing import Any

from django import forms

from mlplatform.admin.forms import ConsoleForm, FieldGroup, ReasonForm
from registry.models import Alias, Dataset, ModelVersion
from registry.models.registered_model import LONGEST_CACHE_SECONDS, CheckPolicy, LogWriting, ProblemKind


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
    twin_tolerance = forms.FloatField(
        min_value=0,
        max_value=1,
        label="Tolerance of twins",
        help_text="How far the probabilities of a version and its twin in ONNX may be apart, or their "
        "numbers as a share of the largest; every label must be the same. Holds for twins made from now on.",
    )
    log_share = forms.FloatField(
        min_value=0,
        max_value=1,
        label="Share that is kept",
        help_text="1 keeps every answer in the log, 0.1 those of a tenth of the cases. An answer that is not "
        "kept has no id: no outcome can be sent for it, and drift and quality are measured on the others.",
    )
    cache_answers = forms.BooleanField(
        required=False,
        label="Answer equal rows from memory",
        help_text="A row that was asked before is given the same answer, marked as such, until the time is "
        "over or another version is champion.",
    )
    cache_seconds = forms.IntegerField(
        min_value=1,
        max_value=LONGEST_CACHE_SECONDS,
        label="For how many seconds",
        help_text="Counts where answers come from memory.",
    )
    shadow_aliases = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="In shadow",
        help_text="These versions answer every logged row as well, beside the requests. No client sees what "
        "they say; the model's page compares it with what the champion said.",
    )
    groups = (
        FieldGroup("The model", ("description", "data_checks", "twin_tolerance")),
        FieldGroup("Log of predictions", ("log_writing", "log_share")),
        FieldGroup("Answers from memory", ("cache_answers", "cache_seconds")),
        FieldGroup("Versions in shadow", ("shadow_aliases",)),
    )

    def __init__(self, *args: Any, aliases: Sequence[Alias], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(alias.name, f"{alias.name} (now v{alias.version.number})") for alias in aliases]
        field: Any = self.fields["shadow_aliases"]
        field.choices = choices
        if not choices:
            field.help_text = "Point an alias, such as challenger, to a version first (Aliases)."


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
