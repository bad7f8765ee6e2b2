"""The monitoring page's fairness, and the form that chooses slices."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from django import forms
from django.http import HttpRequest, HttpResponse

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.extensions import model_commands
from mlplatform.admin.forms import ConsoleForm, bound
from mlplatform.admin.links import command_url
from mlplatform.admin.parts import Badge, Lines, Link, Menu, Section, Table
from mlplatform.admin.render import number, words
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability
from monitoring.admin.measured import Shown, tab
from monitoring.admin.measured_words import estimate_cell
from monitoring.services.fairness import FairnessGap, FairnessReport, fairness_reports
from monitoring.services.slices import set_slices
from registry.models import RegisteredModel

CHOOSE = (
    "No column is sliced, so there are no groups to compare. Choose columns under “Slices” on the model's "
    "page; their groups are counted from then on."
)
WAIT = "No outcome of a group is known in this period. Report outcomes, or choose a longer period."


@tab("fairness", "Fairness", at=50)
def fairness_sections(model: RegisteredModel, shown: Shown) -> Iterable[Section | None]:
    """Yield how the groups of each sliced column fare, and how far they are apart."""
    gate = model.gates.get("fairness_gap") or {}
    column = gate.get("column", "")
    if not model.slices:
        also = f" The fairness gate looks at {column}: slice that column." if column else ""
        link = Link("Choose slices", command_url(model, "slices"))
        yield Table("Fairness", [], [], empty=f"{CHOOSE}{also}", more=link)
        return
    reports = fairness_reports(model=model, period=shown.period)
    if not any(one.groups for one in reports):
        yield Table("Fairness", [], [], empty=WAIT)
    for report in reports:
        if report.groups:
            yield _groups(model, report)
            yield _gaps(model, report)


def _title(model: RegisteredModel, name: str) -> str:
    known = {metric.name: metric.title for metric in model.problem.metrics}
    return known.get(name, words(name).capitalize())


def _groups(model: RegisteredModel, report: FairnessReport) -> Table:
    names = list(dict.fromkeys(name for group in report.groups for name in group.figures))
    return Table(
        f"Groups of {report.column}",
        ["Group", "Outcomes known", *(_title(model, name) for name in names)],
        [
            [group.value, group.labelled, *(estimate_cell(group.figures.get(name)) for name in names)]
            for group in report.groups
        ],
        note=f"Answers of v{report.version.number} with outcomes; groups with fewer than 30 are left out.",
    )


def _gaps(model: RegisteredModel, report: FairnessReport) -> Table:
    return Table(
        f"Gaps of {report.column}",
        ["Measure", "Highest", "Lowest", "Apart", "Verdict"],
        [
            [_title(model, gap.measure), gap.highest, gap.lowest, estimate_cell(gap.gap), _verdict(gap)]
            for gap in report.gaps
        ],
        empty="Two groups with 30 outcomes are needed to compare them.",
        note="The ends beside a gap hold for all pairs of groups together, 95 times in 100.",
    )


def _verdict(gap: FairnessGap) -> Any:
    found = Badge("apart beyond chance", "warn") if gap.proven else Badge("not shown to be apart", "muted")
    if gap.allowed is None:
        return found
    within = gap.gap.value <= gap.allowed
    gate = f"the gate allows {number(gap.allowed)}"
    return Lines(found, [gate]) if within else Lines(Badge("beyond the gate's limit", "bad"), [gate])


class SlicesForm(ConsoleForm):
    """One line for each column."""

    slices = forms.CharField(
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 6}),
        label="Columns",
        help_text="One column in a line, at most five: its name, then after a colon the cuts of its numbers "
        "or its values, with commas between, as in “age: 18, 65”. A name alone takes the training data's "
        "quarters or its ten most frequent values. Left empty: no slices.",
    )

    def chosen(self) -> dict[str, list[str]]:
        """Return the columns with what was written behind them."""
        found: dict[str, list[str]] = {}
        for line in self.cleaned_data["slices"].splitlines():
            column, _, rest = line.partition(":")
            if column.strip():
                found[column.strip()] = [one.strip() for one in rest.split(",") if one.strip()]
        return found


def slices_page(request: HttpRequest, model: RegisteredModel) -> HttpResponse:
    """Ask which columns are sliced, and how."""
    page_admin = cast(PlatformModelAdmin, console.get_model_admin(RegisteredModel))
    form = bound(SlicesForm, request, initial={"slices": _written(model.slices)})

    def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
        set_slices(model=model, slices=form.chosen(), by=by)
        return page_admin.done(request, "The slices were saved; they are counted from now on.", model)

    page = FormPage(
        f"Slices of {model}",
        "Save",
        intro="Quality, calibration, data and service are counted for each slice apart, from the moment on "
        "when it is chosen. A column has at most 20 slices.",
    )
    return page_admin.form_page(request, page=page, form=form, submit=submit, row=model)


def _written(slices: Mapping[str, Mapping[str, Any]]) -> str:
    lines: Sequence[str] = [
        f"{column}: {', '.join(_text(one) for one in _parts(rule))}" for column, rule in slices.items()
    ]
    return "\n".join(lines)


def _text(one: Any) -> str:
    short = f"{one:g}" if isinstance(one, float) else str(one)
    return repr(one) if isinstance(one, float) and float(short) != one else short


def _parts(rule: Mapping[str, Any]) -> Sequence[Any]:
    return rule["cuts"] if "cuts" in rule else rule["values"]  # type: ignore[no-any-return]  # a list of JSON


model_commands.append(
    Command("slices", "Slices", Capability.MONITOR, "call_split", view=slices_page, menu=Menu.SETTINGS)
)
