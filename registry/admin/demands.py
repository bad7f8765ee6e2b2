"""The page on which a model's gates are chosen."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.commands import FormPage
from mlplatform.admin.forms import ConsoleForm, FieldGroup, bound, dress
from mlplatform.admin.links import page_url
from mlplatform.admin.parts import Badge, Table
from mlplatform.tenancy.actors import Actor
from registry.gates.fields import Field, as_text, fields_of
from registry.models import RegisteredModel
from registry.models.request import LONGEST_DAYS, SHORTEST_DAYS
from registry.services.demands import Demand, all_demands, change_rules, choice_from_texts, demands_of

INTRO = (
    "A version becomes champion when it passes each gate chosen here, or when an approver passes over a "
    "failed one with a reason, which stays in the history. What is left empty has its default."
)
WHO_DECIDES = FieldGroup("Who decides", ("four_eyes", "request_days"))


class GatesForm(ConsoleForm):
    """Who decides; then a box for each gate, and a field for each of its parameters."""

    four_eyes = forms.BooleanField(
        required=False,
        label="Two people",
        help_text="Whoever proposes a version does not approve it, and nobody promotes alone.",
    )
    request_days = forms.IntegerField(
        required=False,
        min_value=SHORTEST_DAYS,
        max_value=LONGEST_DAYS,
        label="Days to decide",
        help_text="A proposal that nobody decides in this time expires.",
    )

    def __init__(self, *args: Any, demands: Sequence[Demand], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.demands = demands
        for one in demands:
            self.fields[one.gate.name] = forms.BooleanField(
                label="Demanded",
                required=False,
                initial=one.demanded,
                disabled=one.gate.always,
                help_text=f"{one.gate.purpose} {'Always demanded.' if one.gate.always else ''}",
            )
            for field in fields_of(one.gate):
                self.fields[_name(one, field)] = _form_field(one, field)
        self.groups = (WHO_DECIDES, *(_group(one) for one in demands))
        dress(self)

    def texts(self) -> dict[str, dict[str, str]]:
        """Return what was written, by demanded gate and parameter."""
        return {
            one.gate.name: {
                field.name: str(self.cleaned_data[_name(one, field)]) for field in fields_of(one.gate)
            }
            for one in self.demands
            if self.cleaned_data[one.gate.name]
        }


def gates_page(page_admin: PlatformModelAdmin, request: HttpRequest, model: RegisteredModel) -> HttpResponse:
    """Show every gate with its parameters, and keep what was chosen."""

    def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
        change_rules(
            model=model,
            by=by,
            gates=choice_from_texts(form.texts()),
            four_eyes=data["four_eyes"],
            request_days=data["request_days"],
        )
        return page_admin.done(request, f"{model} demands {len(demands_of(model))} gates.", page_url(model))

    now = {"four_eyes": model.four_eyes, "request_days": model.request_days}
    form = bound(GatesForm, request, demands=all_demands(model), initial=now)
    page = FormPage(f"Gates of {model}", "Save", intro=INTRO)
    return page_admin.form_page(request, page=page, form=form, submit=submit, row=model)


def demands_table(model: RegisteredModel) -> Table:
    """Return the gates that a version of the model must pass, with what they were told."""
    rows = [
        [
            one.gate.title,
            [
                f"{field.title}: {', '.join(as_text(value).splitlines())}"
                for field in fields_of(one.gate)
                if (value := getattr(one.parameters, field.name)) not in (None, "", [], {})
            ],
            Badge("always", "muted") if one.gate.always else None,
        ]
        for one in demands_of(model)
    ]
    note = "" if model.gates else "The standard ones: nobody has chosen others."
    if model.four_eyes:
        note = f"{note} A second person must approve.".strip()
    return Table("Gates of a promotion", ["Gate", "Told", ""], rows, note=note)


def _group(demand: Demand) -> FieldGroup:
    """Return a gate's box and parameters; those of a gate that is not demanded are folded."""
    gate = demand.gate
    names = (gate.name, *(_name(demand, field) for field in fields_of(gate)))
    return FieldGroup(
        gate.title, names, "" if demand.demanded else "not demanded", folded=not demand.demanded
    )


def _name(demand: Demand, field: Field) -> str:
    return f"{demand.gate.name}-{field.name}"


def _form_field(demand: Demand, field: Field) -> forms.Field:
    label = field.title
    initial = as_text(getattr(demand.parameters, field.name))
    if field.kind == "choice":
        choices = [(one, one.replace("_", " ")) for one in field.choices]
        return forms.ChoiceField(
            choices=choices, initial=initial, required=False, label=label, help_text=field.help
        )
    how = {"lines": " One a line.", "pairs": " A line each: name = number."}.get(field.kind, "")
    widget = forms.Textarea(attrs={"rows": 3}) if how else forms.TextInput()
    return forms.CharField(
        initial=initial,
        required=False,
        label=label,
        help_text=field.help + how,
        max_length=10_000,
        widget=widget,
    )
