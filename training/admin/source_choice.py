"""The choice of a source, in the forms of jobs and schedules."""

from typing import Any

from django import forms

from mlplatform.admin.forms import ConsoleForm
from training.models import DataSource, OnSourceFailure


class SourceChoiceForm(ConsoleForm):
    """A source that has been read once, and what happens where it does not answer."""

    source: "forms.ModelChoiceField[DataSource]" = forms.ModelChoiceField(
        queryset=None, required=False, help_text="Read anew each time; it needs a first snapshot."
    )
    on_source_failure = forms.ChoiceField(
        choices=OnSourceFailure.choices,
        required=False,
        label="Where the source does not answer",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        read = DataSource.objects.exclude(last_snapshot=None)
        self.fields["source"].queryset = read  # type: ignore[attr-defined]  # a model choice

    def clean_on_source_failure(self) -> str:
        """Return the choice; failing where none was sent."""
        return self.cleaned_data["on_source_failure"] or OnSourceFailure.FAIL
