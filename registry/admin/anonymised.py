"""The page that tells how identifying a dataset is and sends an anonymised copy."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.http import HttpRequest, HttpResponse

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.commands import FormPage
from mlplatform.admin.forms import ConsoleForm, bound
from mlplatform.admin.links import page_url
from mlplatform.admin.parts import Badge, Facts, Section, Table
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.downloads import as_download
from registry.models import Dataset
from registry.privacy.release import DEFAULT_K, LARGEST_K, SMALLEST_K, Choice
from registry.services.anonymised import TableFormat, export_anonymised, measure
from registry.tabular.schema import Treatment

FIGURES = "figures"
INTRO = (
    "Rows that agree in everything that others may know of a person form a group. In the copy, numbers "
    "become ranges, dates months or years, and rare categories are grouped, until each group has enough "
    "rows; the few that are left alone are taken out. Personal columns leave as pseudonyms or not at all."
)


class AnonymityForm(ConsoleForm):
    """What others may know, what they must not learn, and what to do."""

    quasi = forms.MultipleChoiceField(
        label="What others may know of a person",
        widget=forms.CheckboxSelectMultiple,
        help_text="For example age, postcode, sex: together they can point to one person.",
    )
    sensitive = forms.ChoiceField(
        required=False,
        label="What nobody should learn",
        help_text="Tells how many different values each group holds at least (l-diversity).",
    )
    k = forms.IntegerField(
        min_value=SMALLEST_K,
        max_value=LARGEST_K,
        initial=DEFAULT_K,
        label="Smallest group (k)",
        help_text="At least so many rows look alike. 5 is usual; 10 or more for health or money.",
    )
    leave_out = forms.MultipleChoiceField(
        required=False,
        label="Leave out altogether",
        widget=forms.CheckboxSelectMultiple,
        help_text="Identifiers and free text are left out anyway.",
    )
    form = forms.ChoiceField(
        label="Then",
        choices=[
            (FIGURES, "Only show the figures"),
            *((one.value, f"Download as {one.value.upper()}") for one in TableFormat),
        ],
    )

    def __init__(self, *args: Any, dataset: Dataset, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [(column["name"], column["name"]) for column in dataset.columns]
        shown = [
            name
            for name, column in zip(names, dataset.columns, strict=True)
            if column.get("personal") != Treatment.drop
        ]
        self.fields["quasi"].choices = shown  # type: ignore[attr-defined]  # a choice field
        self.fields["sensitive"].choices = [("", "–"), *shown]  # type: ignore[attr-defined]  # the same
        self.fields["leave_out"].choices = names  # type: ignore[attr-defined]  # the same


def anonymity_page(page_admin: PlatformModelAdmin, request: HttpRequest, dataset: Dataset) -> HttpResponse:
    """Ask for the columns, then show the figures or send the file."""

    def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
        choice = Choice(tuple(data["quasi"]), data["sensitive"] or None, data["k"], tuple(data["leave_out"]))
        if data["form"] == FIGURES:
            facts = measure(dataset=dataset, choice=choice, by=by)
            return page_admin.render(
                request, "admin/pages/form.html", dataset, page=page(*figures_of(facts)), form=form,
                cancel=page_url(dataset),
            )  # fmt: skip
        export, _ = export_anonymised(dataset=dataset, choice=choice, form=data["form"], by=by)
        return cast(HttpResponse, as_download(export))  # streamed, which a view may answer as well

    def page(*sections: Section) -> FormPage:
        return FormPage(f"How identifying is {dataset.name}?", "Go", intro=INTRO, sections=sections)

    form = bound(AnonymityForm, request, dataset=dataset)
    return page_admin.form_page(request, page=page(), form=form, submit=submit, row=dataset)


def figures_of(facts: Mapping[str, Any]) -> list[Section]:
    """Return the figures before and after, and what the copy would cost."""
    before, after = facts["before"], facts["after"]
    rows = [
        ["Rows", before["rows"], after["rows"]],
        ["Groups", before["groups"], after["groups"]],
        ["Smallest group (k)", before["k"], Badge(str(after["k"]), "good" if after["rows"] else "bad")],
        ["Rows that are alone", before["unique_rows"], after["unique_rows"]],
    ]
    if facts["sensitive"]:
        rows.append([f"Least values of {facts['sensitive']} in a group (l)", *_diversities(before, after)])
    cost = [
        ("Rows taken out", facts["rows_suppressed"]),
        ("Detail lost in the chosen columns", f"{facts['information_lost']:.0%}"),
        ("Generalised", ", ".join(name for name, level in facts["levels"].items() if level) or "nothing"),
        ("As pseudonyms", ", ".join(facts["pseudonymised"]) or "none"),
        ("Left out", ", ".join(facts["left_out"]) or "none"),
    ]
    return [
        Table("How identifying it is", ["", "As it stands", "In the copy"], rows),
        Facts("What the copy costs", cost),
    ]


def _diversities(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Badge]:
    found = [before["l_diversity"], after["l_diversity"]]
    return [Badge(str(one or 0), "good" if (one or 0) > 1 else "warn") for one in found]
