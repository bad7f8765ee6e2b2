"""How a training is measured: which rows are held out and whose groups are compared: form fields."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from mlplatform.admin.forms import ConsoleForm
from registry.models import Dataset, RegisteredModel
from registry.tabular.schema import ColumnType, columns_from_json
from registry.tabular.splits import HOLDOUT_SHARE
from training.services.measures import LEAST_SHARE, MOST_FAIR, MOST_SHARE

MOST_DATASETS, MOST_COLUMNS = 20, 300  # whose columns are offered where no dataset was chosen yet
CHANCE, GROUP, TIME = "content", "group", "time"
SPLITS = [
    (CHANCE, "By chance: any row may be held out"),
    (GROUP, "Whole groups: all rows of a person, a machine, a customer stay together"),
    (TIME, "The newest rows: learn from the past, be tested on what came after"),
]
NEEDED = {
    GROUP: "Choose the column that says which rows belong together.",
    TIME: "Choose the column that says when a row came to be.",
}


class MeasuringForm(ConsoleForm):
    """Fields about the rows held out, and about groups that are to be treated alike."""

    split = forms.ChoiceField(
        choices=SPLITS,
        required=False,
        initial=CHANCE,
        label="Rows held out for the test",
        help_text="The score is measured on rows that no model learnt from. By chance is right where each "
        "row stands for itself; of classes, every fold gets its share. Choose groups where the same person "
        "or thing has several rows, the newest rows where you will predict the future.",
    )
    split_column = forms.ChoiceField(
        required=False,
        label="Groups or dates are in",
        help_text="Only for whole groups and the newest rows. A column of groups is no input of the model.",
    )
    holdout = forms.IntegerField(
        min_value=round(100 * LEAST_SHARE),
        max_value=round(100 * MOST_SHARE),
        initial=round(100 * HOLDOUT_SHARE),
        required=False,
        label="How much is held out, in percent",
        help_text="20 does for most. More makes the score surer, and leaves less to learn from.",
    )
    fairness = forms.MultipleChoiceField(
        required=False,
        label="Compare how groups fare",
        widget=forms.SelectMultiple(attrs={"size": 5}),
        help_text=f"Up to {MOST_FAIR} columns such as sex, region or age band: the report then says whether "
        "the model is wrong more often, or says yes less often, for one group than for another.",
    )
    favourable = forms.CharField(
        max_length=200,
        required=False,
        label="The answer people hope for",
        help_text="For classes, such as approved: then the report says who gets it, too.",
    )

    def offer_columns(self, columns: Iterable[tuple[str, str]]) -> None:
        """Let people choose among these columns, given as name and title."""
        offered, fields = list(columns), self.fields
        chosen: Any = fields["split_column"]
        chosen.choices = [("", "None"), *offered]
        groups: Any = fields["fairness"]
        groups.choices = offered

    def clean(self) -> dict[str, Any]:
        """Demand the column that a split needs, and refuse what would say nothing."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        kind, column = data.get("split") or CHANCE, data.get("split_column")
        if kind in NEEDED and not column and "split_column" not in self.errors:
            self.add_error("split_column", NEEDED[kind])
        if kind == CHANCE and column:
            self.add_error("split_column", "By chance needs no column: choose groups or newest rows above.")
        if data.get("favourable") and not data.get("fairness") and "fairness" not in self.errors:
            self.add_error("fairness", "Choose the columns whose groups are to be compared.")
        return data


def columns_offered(model: RegisteredModel, dataset: str) -> list[tuple[str, str]]:
    """Return name and title of the columns of the dataset of this number, else of the newest datasets."""
    rows = Dataset.objects.only("columns").order_by("-created_at")
    known = rows.filter(pk=dataset) if dataset.isdecimal() and len(dataset) < 19 else rows.none()
    tables = [columns_from_json(one.columns) for one in known or rows[:MOST_DATASETS]]
    fitting = [table for table in tables if not model.target or model.target in {one.name for one in table}]
    titles: dict[str, str] = {}
    for column in (column for table in fitting or tables for column in table):
        if column.name != model.target and column.type is not ColumnType.text:
            titles.setdefault(column.name, f"{column.name} ({column.type})")
    return list(titles.items())[:MOST_COLUMNS]


def chosen_measures(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the form's fields mean in a job's config."""
    kind = data.get("split") or CHANCE
    split = None if kind == CHANCE else {"kind": kind, "column": data["split_column"]}
    fair = None
    if data.get("fairness"):
        fair = {"columns": data["fairness"], "favourable": data.get("favourable") or None}
    share = data.get("holdout")
    return {"split": split, "fairness": fair, "holdout": share / 100 if share else HOLDOUT_SHARE}


def measures_shown_first(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the form shows at first for a job like one of this config."""
    split, fair = config.get("split") or {}, config.get("fairness") or {}
    return {
        "split": split.get("kind", CHANCE),
        "split_column": split.get("column"),
        "holdout": round(100 * config.get("holdout", HOLDOUT_SHARE)),
        "fairness": fair.get("columns", []),
        "favourable": fair.get("favourable"),
    }
