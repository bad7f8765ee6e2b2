"""Forms of the console, in the theme's dress."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from unfold.widgets import INPUT_CLASSES, SELECT_CLASSES, TEXTAREA_CLASSES

from mlplatform.errors import PlatformError

Form = TypeVar("Form", bound="ConsoleForm")
PLAIN = (forms.CheckboxInput, forms.CheckboxSelectMultiple, forms.RadioSelect, forms.FileInput)


@dataclass(frozen=True)
class FieldGroup:
    """Fields of a long form that belong together; a folded group opens by a click."""

    title: str
    names: Sequence[str]
    note: str = ""
    folded: bool = False


@dataclass(frozen=True)
class ShownGroup:
    """A group with its fields as they are drawn."""

    title: str
    note: str
    unfolded: bool
    fields: Sequence[forms.BoundField]


class ConsoleForm(forms.Form):
    """A form that takes on the theme's classes, and an error of a service as its own errors."""

    groups: Sequence[FieldGroup] = ()  # of a long form, all its fields; of a short one none

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)

    def grouped_fields(self) -> list[ShownGroup]:
        """Return the groups that have fields; unfolded where something is wrong or was filled in before."""
        found = []
        for group in self.groups:
            fields = [self[name] for name in group.names if name in self.fields]
            told = any(name in self.errors or self._differs(name) for name in group.names)
            if fields:
                found.append(ShownGroup(group.title, group.note, told or not group.folded, fields))
        return found

    def _differs(self, name: str) -> bool:
        """Whether the field shows something, and something else than it does in a new form."""
        if name not in self.fields:
            return False
        shown = self[name].value()
        return bool(shown) and str(shown) != str(self.fields[name].initial)

    @property
    def is_multipart_form(self) -> bool:
        """Whether the form carries a file."""
        return self.is_multipart()

    @property
    def names_a_missing_row(self) -> bool:
        """Whether a row was chosen that is not among those that may be: no list offers such a choice."""
        return any(
            problem.code == "invalid_choice"
            for name, problems in self.errors.as_data().items()
            if isinstance(self.fields.get(name), forms.ModelChoiceField)
            for problem in problems
        )

    def refuse(self, error: PlatformError) -> None:
        """Show a service's error at the fields it names, or above the form."""
        fields = error.fields
        self.add_error(None, error.detail)
        if isinstance(fields, Mapping):
            for name, problem in fields.items():
                self._point_at(str(name), problem)
        elif fields:
            for item in list(fields)[:20]:
                self.add_error(None, "; ".join(f"{name}: {value}" for name, value in item.items()))

    def refuse_invalid(self, error: ValidationError) -> None:
        """Show a model's own validation errors."""
        if not hasattr(error, "error_dict"):
            self.add_error(None, error.messages)
            return
        for name, problem in error.message_dict.items():
            self._point_at(name, problem)

    def _point_at(self, name: str, problem: Any) -> None:
        messages = [str(item) for item in problem] if isinstance(problem, list | tuple) else [str(problem)]
        if name in self.fields:
            self.add_error(name, messages)
        else:
            prefix = "" if name in {"__all__", "non_field_errors"} else f"{name}: "
            self.add_error(None, [f"{prefix}{message}" for message in messages])


class ConfirmForm(ConsoleForm):
    """Nothing to fill in: sending it is the answer."""


class ReasonForm(ConsoleForm):
    """Asks why."""

    reason = forms.CharField(
        max_length=500, required=False, help_text="Kept in the history for whoever asks later."
    )


def dress(form: forms.BaseForm) -> None:
    """Give the form's fields the theme's classes."""
    for field in form.fields.values():
        if classes := _classes_of(field.widget):
            field.widget.attrs["class"] = " ".join(classes)


def bound(form_class: type[Form], request: HttpRequest, **kwargs: Any) -> Form:
    """Return the form with the data that was sent, else with initial values from the address."""
    if request.method == "POST":
        return form_class(request.POST, request.FILES, **kwargs)
    initial = {**kwargs.pop("initial", {}), **{name: value for name, value in request.GET.items() if value}}
    return form_class(initial=initial, **kwargs)


def _classes_of(widget: forms.Widget) -> Sequence[str]:
    if isinstance(widget, PLAIN):
        return ()
    if isinstance(widget, forms.Select):
        return tuple(SELECT_CLASSES)
    if isinstance(widget, forms.Textarea):
        return tuple(TEXTAREA_CLASSES)
    return tuple(INPUT_CLASSES)
