"""The page on which columns are marked personal, the same for datasets and for models."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.commands import FormPage
from mlplatform.admin.forms import ConsoleForm, bound, dress
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability, demand
from registry.models import Dataset, RegisteredModel
from registry.privacy.treatment import Marks
from registry.services.personal import Changes, loosened
from registry.tabular.schema import ColumnType, Treatment

NOT_PERSONAL = "none"
CHOICES = [
    (NOT_PERSONAL, "Not personal"),
    (Treatment.pseudonymise.value, "Personal: keep pseudonyms"),
    (Treatment.drop.value, "Personal: leave out"),
]
HOLDS = {
    ColumnType.numeric: "Numbers.",
    ColumnType.integer: "Whole numbers.",
    ColumnType.boolean: "Yes or no.",
    ColumnType.category: "Categories.",
    ColumnType.text: "Free text.",
    ColumnType.date: "Dates.",
    ColumnType.identifier: "Another value in each row; models do not use it.",
    ColumnType.ignored: "Nothing that a model uses.",
}
MOST_COLUMNS = 900  # more fields than that are refused in one form
INTRO = (
    "Models still learn from the true values and are asked with them. Everything else (the log of "
    "predictions, profiles, reports, exports) keeps a pseudonym, which is the same wherever the same value "
    "occurs, or nothing. Taking a mark off needs an admin."
)
Apply = Callable[[Changes, Actor], Dataset | RegisteredModel]


class ColumnsForm(ConsoleForm):
    """One choice for each column."""

    def __init__(self, *args: Any, columns: Sequence[Mapping[str, Any]], marks: Marks, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.names = {f"column-{place}": str(column["name"]) for place, column in enumerate(columns)}
        for (field, name), column in zip(self.names.items(), columns, strict=True):
            self.fields[field] = forms.ChoiceField(
                choices=CHOICES,
                label=name,
                initial=marks.get(name, NOT_PERSONAL),
                help_text=HOLDS[ColumnType(column["type"])],
            )
        dress(self)

    def changes(self, marks: Marks) -> dict[str, str | None]:
        """Return the columns whose treatment was changed."""
        sent = {name: self.cleaned_data[field] for field, name in self.names.items()}
        chosen = {name: None if mark == NOT_PERSONAL else mark for name, mark in sent.items()}
        return {name: treatment for name, treatment in chosen.items() if treatment != marks.get(name)}


def columns_page(
    page_admin: PlatformModelAdmin,
    request: HttpRequest,
    row: Dataset | RegisteredModel,
    *,
    columns: Sequence[Mapping[str, Any]],
    marks: Marks,
    apply: Apply,
) -> HttpResponse:
    """Show the choices, then apply what was changed."""

    def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
        changes = form.changes(marks)
        if loosened(marks, changes):
            demand(request.user, Capability.ADMIN, "Only admins show more of a personal column.", row)
        apply(changes, by)
        return page_admin.done(request, f"{len(changes)} of {len(columns)} columns were changed.", row)

    form = bound(ColumnsForm, request, columns=columns, marks=marks)
    page = FormPage(f"Personal columns of {row}", "Save", intro=INTRO)
    return page_admin.form_page(request, page=page, form=form, submit=submit, row=row)
