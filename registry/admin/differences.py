"""The page that tells what differs between two datasets."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.commands import FormPage
from mlplatform.admin.forms import ConsoleForm, bound
from mlplatform.admin.links import page_url
from mlplatform.admin.parts import Badge, Facts, Lines, Section, Table, Tone
from mlplatform.admin.pictures import comparison
from mlplatform.admin.render import number
from mlplatform.tenancy.actors import Actor
from registry.models import Dataset
from registry.services.differences import dataset_before, dataset_difference

MOST_SHOWN = 100
TONES: dict[str, Tone] = {"alike": "good", "changed": "warn", "strongly changed": "bad"}
INTRO = (
    "Choose an earlier dataset: the page tells what has changed since then, column by column. It is computed "
    "from the two profiles, so it takes no time however large they are."
)
DISTANCE = (
    "The distance runs from 0 (alike) to 1 (nothing in common); from 0.1 on a model may notice, from "
    "0.25 on it will. In the pictures the grey bars are before, the coloured ones after."
)


class DifferenceForm(ConsoleForm):
    """With what to compare."""

    before = forms.ModelChoiceField(Dataset.all_tenants.none(), label="Compare with", empty_label=None)

    def __init__(self, *args: Any, dataset: Dataset, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = Dataset.objects.exclude(pk=dataset.pk).defer("profile", "columns")
        self.fields["before"].queryset = others  # type: ignore[attr-defined]  # a choice among rows
        self.fields["before"].initial = dataset_before(dataset).pk


def difference_page(page_admin: PlatformModelAdmin, request: HttpRequest, dataset: Dataset) -> HttpResponse:
    """Ask for the other dataset, then tell what differs."""

    def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
        found = dataset_difference(before=Dataset.objects.get(pk=data["before"].pk), after=dataset)
        shown = page(*sections_of(found, data["before"], dataset))
        context = {"page": shown, "form": form, "cancel": page_url(dataset)}
        return page_admin.render(request, "admin/pages/form.html", dataset, **context)

    def page(*sections: Section) -> FormPage:
        return FormPage(f"What has changed in {dataset.name}?", "Compare", intro=INTRO, sections=sections)

    form = bound(DifferenceForm, request, dataset=dataset)
    return page_admin.form_page(request, page=page(), form=form, submit=submit, row=dataset)


def sections_of(found: Mapping[str, Any], before: Dataset, after: Dataset) -> list[Section]:
    """Return the difference in words, and column by column."""
    rows = [
        [
            column["column"],
            _verdict(column),
            _pair(column["missing"], percent=True),
            _pair(column.get("mean") or column["distinct"]),
            _middle(column),
            _picture(column),
        ]
        for column in found["columns"][:MOST_SHOWN]
    ]
    titles = ["Column", "Distance", "Missing", "Mean or number of values", "Median and range", "Distribution"]
    told = "Most changed first" if len(found["columns"]) <= MOST_SHOWN else f"The {MOST_SHOWN} most changed"
    return [
        Facts(f"{before} before, {after} after", list(_numbered(found["words"])), wide=True),
        Table(
            f"Columns: {told.lower()}", titles, rows, note=DISTANCE, empty="The two have no column in common."
        ),
    ]


def _numbered(words: list[str]) -> list[tuple[str, str]]:
    shown = [(f"{place}.", sentence) for place, sentence in enumerate(words[:30], 1)]
    return shown if len(words) <= 30 else [*shown, ("", f"And {len(words) - 30} more; see the table.")]


def _verdict(column: Mapping[str, Any]) -> Badge | str:
    if column["distance"] is None:
        return "personal: counts only" if column["verdict"] == "personal" else "not measured"
    return Badge(f"{column['distance']:.2f} {column['verdict']}", TONES[column["verdict"]])


def _pair(values: Mapping[str, Any], *, percent: bool = False) -> str:
    shown = [
        "–" if one is None else f"{one:.1%}" if percent else number(one)
        for one in (values["before"], values["after"])
    ]
    return shown[0] if shown[0] == shown[1] else f"{shown[0]} → {shown[1]}"


def _middle(column: Mapping[str, Any]) -> Lines | str | None:
    if "quantiles" in column:
        medians = {side: one.get("0.5") for side, one in column["quantiles"].items()}
        return Lines(_pair(medians), [f"least {_pair(column['min'])}, most {_pair(column['max'])}"])
    if "min" in column:
        return Lines(_dates(column["min"]), [f"to {_dates(column['max'])}"])
    told = [f"new: {', '.join(column['new'][:3])}"] if column.get("new") else []
    told += [f"gone: {', '.join(column['vanished'][:3])}"] if column.get("vanished") else []
    return Lines(told[0], told[1:]) if told else None


def _dates(values: Mapping[str, Any]) -> str:
    shown = [str(one)[:10] if one else "–" for one in (values["before"], values["after"])]
    return shown[0] if shown[0] == shown[1] else f"{shown[0]} → {shown[1]}"


def _picture(column: Mapping[str, Any]) -> SafeString | None:
    if "bins" not in column:
        return None
    before, after = column["bins"]["before"][:20], column["bins"]["after"][:20]
    return comparison(before, after, title=f"{column['column']} before and after")
