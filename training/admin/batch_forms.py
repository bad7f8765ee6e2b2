"""The form that starts a batch."""

from typing import Any

from django import forms

from mlplatform.admin.forms import ConsoleForm, FieldGroup
from registry.inference.bounds import DEFAULT_COVERAGE, LEAST_COVERAGE, MOST_COVERAGE
from registry.models import Dataset, ModelVersion, RegisteredModel
from registry.models.version import VersionStatus
from training.admin.imports import NamesField
from training.models import DataSource, FileForm, OnBadRow
from training.services.batch_options import MOST_REASONS


class BatchForm(ConsoleForm):
    """What is answered, by which version, and what stands in the file of answers."""

    groups = (
        FieldGroup("Rows", ("file", "dataset", "source"), "one of them"),
        FieldGroup("Answers", ("version", "form", "on_bad_row", "keep_all", "keep", "key")),
        FieldGroup(
            "More beside each answer",
            ("probabilities", "reasons", "coverage", "log"),
            "probabilities, reasons, intervals, log",
            folded=True,
        ),
    )

    file = forms.FileField(
        required=False,
        help_text="CSV with a header line, Parquet or JSON Lines, with the model's columns by their names.",
    )
    dataset: "forms.ModelChoiceField[Dataset]" = forms.ModelChoiceField(
        queryset=None, required=False, help_text="In place of a file."
    )
    source: "forms.ModelChoiceField[DataSource]" = forms.ModelChoiceField(
        queryset=None, required=False, help_text="In place of a file: it is asked when the batch runs."
    )
    version: "forms.ModelChoiceField[ModelVersion]" = forms.ModelChoiceField(
        queryset=None,
        required=False,
        empty_label="The champion",
        help_text="It stays the same for the whole batch, whatever is promoted meanwhile.",
    )
    form = forms.ChoiceField(label="File of answers", choices=FileForm.choices, initial=FileForm.CSV)
    on_bad_row = forms.ChoiceField(
        label="Where a row does not fit the model", choices=OnBadRow.choices, initial=OnBadRow.FAIL
    )
    keep_all = forms.BooleanField(
        required=False, label="Keep all columns", help_text="The answers stand behind the input's columns."
    )
    keep = NamesField(label="Columns to keep", help_text="One name to a line: they stand before the answers.")
    key = forms.CharField(
        required=False,
        max_length=200,
        label="Key column",
        help_text="The column with your own names for the cases; it is kept, and the log has its pseudonyms.",
    )
    probabilities = forms.BooleanField(
        required=False, initial=True, help_text="A column for each class, where the model gives them."
    )
    reasons = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=MOST_REASONS,
        label="Reasons",
        help_text="How many columns that moved each answer most are told. It takes many times as long.",
    )
    coverage = forms.FloatField(
        required=False,
        min_value=LEAST_COVERAGE,
        max_value=MOST_COVERAGE,
        label="Intervals",
        help_text=f"How often they are to hold the truth, for example {DEFAULT_COVERAGE}; none where empty.",
    )
    log = forms.BooleanField(
        required=False,
        label="Log the answers",
        help_text="Write each to the prediction log, where outcomes and drift are watched. Off by default.",
    )

    def __init__(self, *args: Any, model: RegisteredModel, may_use_data: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        ready = ModelVersion.objects.filter(model=model, status=VersionStatus.READY)
        fields["version"].queryset = ready.order_by("-number")
        if may_use_data:
            fields["dataset"].queryset = Dataset.objects.defer("columns", "profile")
            fields["source"].queryset = DataSource.objects.all()
        else:
            del fields["dataset"], fields["source"]
