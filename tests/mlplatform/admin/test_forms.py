"""Forms show a service's refusal where it belongs."""

from typing import Any

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.test import RequestFactory

from mlplatform.admin.forms import ConsoleForm, ReasonForm, bound
from mlplatform.errors import InvalidInput


class ExampleForm(ConsoleForm):
    """Two fields of different kinds."""

    name = forms.CharField()
    kind = forms.ChoiceField(choices=[("a", "A")])
    sure = forms.BooleanField(required=False)


def refused(error: Exception) -> ExampleForm:
    form = ExampleForm({"name": "x", "kind": "a"})
    assert form.is_valid()
    if isinstance(error, InvalidInput):
        form.refuse(error)
    elif isinstance(error, ValidationError):
        form.refuse_invalid(error)
    return form


@pytest.mark.parametrize("problem", ["Taken.", ["Taken."], ("Taken.",)])
def test_an_error_stands_at_the_field_that_it_names(problem: Any) -> None:
    form = refused(InvalidInput("Choose another name.", fields={"name": problem}))
    assert form.errors["name"] == ["Taken."]
    assert form.non_field_errors() == ["Choose another name."]


def test_an_error_at_a_field_that_the_form_does_not_show_stands_above_it() -> None:
    form = refused(InvalidInput("Wrong.", fields={"folds": ["Too many."], "__all__": ["Look again."]}))
    assert form.non_field_errors() == ["Wrong.", "folds: Too many.", "Look again."]


def test_errors_of_rows_are_listed_and_cut_off() -> None:
    rows = [{"index": number, "message": "No such row."} for number in range(30)]
    shown = refused(InvalidInput("30 rows are wrong.", fields=rows)).non_field_errors()
    assert len(shown) == 21
    assert shown[1] == "index: 0; message: No such row."


@pytest.mark.parametrize(
    ("error", "where", "told"),
    [
        (ValidationError("Not so."), "__all__", ["Not so."]),
        (ValidationError({"name": ["Too long."]}), "name", ["Too long."]),
        (ValidationError({"tenant": ["Foreign."]}), "__all__", ["tenant: Foreign."]),
    ],
)
def test_a_models_own_errors_are_shown_too(error: ValidationError, where: str, told: list[str]) -> None:
    assert refused(error).errors[where] == told


def test_nothing_that_was_sent_is_markup() -> None:
    form = refused(InvalidInput("<script>alert(1)</script>", fields={"name": ["<b>"]}))
    page = form.as_p()
    assert "<script>" not in page
    assert "<b>" not in page


def test_a_form_opens_with_what_the_address_says_and_keeps_what_was_sent() -> None:
    opened = bound(ExampleForm, RequestFactory().get("/", {"name": "from the link", "kind": ""}))
    assert opened.initial == {"name": "from the link"}
    sent = bound(ExampleForm, RequestFactory().post("/", {"name": "sent", "kind": "a"}))
    assert sent.is_valid()
    assert sent.cleaned_data == {"name": "sent", "kind": "a", "sure": False}


def test_a_reason_may_be_left_out_but_not_be_endless() -> None:
    assert ReasonForm({}).is_valid()
    assert not ReasonForm({"reason": "x" * 501}).is_valid()


def test_fields_wear_the_themes_dress() -> None:
    fields = ExampleForm().fields
    assert fields["name"].widget.attrs["class"]
    assert "class" not in fields["sure"].widget.attrs
