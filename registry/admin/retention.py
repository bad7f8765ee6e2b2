"""How long things are kept, in the console: a page for the tenant, one for each model."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.commands import FormPage
from mlplatform.admin.extensions import console_pages
from mlplatform.admin.forms import ConsoleForm, FieldGroup, bound, dress
from mlplatform.admin.parts import Badge, Section, Table
from mlplatform.admin.render import size
from mlplatform.admin.site import console
from mlplatform.errors import PlatformError
from mlplatform.identity.proofs import demand_recent_proof
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability, can
from mlplatform.tenancy.scope import current_tenant
from registry.models import RegisteredModel
from registry.services.retention import Part, apply_retention, survey_retention
from registry.services.retention_kinds import KINDS, Kind, Rule
from registry.services.retention_rules import NEVER, change_retention, own_rules, parsed_choice, rules_of

INTRO = (
    "Once a day, what is kept no longer is removed, in small steps, each with its entry in the audit trail. "
    "What is deployed, was deployed a short while ago, is proposed, or is needed by work that runs stays."
)


class RetentionForm(ConsoleForm):
    """For each kind the days, and where it counts how many of the newest stay."""

    def __init__(self, *args: Any, model: RegisteredModel | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own, rules = own_rules(model), rules_of(model)
        wider = rules_of() if model is not None else {kind.name: kind.usual() for kind in KINDS.all()}
        groups = []
        for name in rules:
            kind = KINDS.named(name)
            if kind is not None:
                names = self._add(kind, own.get(name, {}), wider[name])
                groups.append(FieldGroup(kind.title, names, kind.purpose))
        self.groups = groups
        dress(self)

    def _add(self, kind: Kind, own: Mapping[str, int | None], wider: Rule) -> list[str]:
        self.fields[f"{kind.name}.days"] = forms.CharField(
            required=False,
            max_length=10,
            label="Days",
            initial=_written(own, "days"),
            help_text=f"A whole number, or “{NEVER}” to keep it for ever. Left empty: {_days(wider)}.",
        )
        names = [f"{kind.name}.days"]
        if kind.counted:
            self.fields[f"{kind.name}.newest"] = forms.CharField(
                required=False,
                max_length=10,
                label="Newest of each model",
                initial=_written(own, "newest"),
                help_text=f"So many stay however old they are. Left empty: {wider.newest}.",
            )
            names.append(f"{kind.name}.newest")
        return names

    def words(self) -> list[str]:
        """Return what was written, as the command takes it; kinds left empty follow the wider rule."""
        filled = [f"{name}={value.strip()}" for name, value in self.cleaned_data.items() if value.strip()]
        kinds = {name.partition(".")[0] for name in self.fields}
        return [f"{kind}=usual" for kind in sorted(kinds)] + filled


def retention_page(request: HttpRequest) -> HttpResponse:
    """Show the tenant's rules and what they mean now; keep what was chosen, and remove where asked."""
    if not can(request.user, Capability.ADMIN):
        raise PermissionDenied
    if request.method == "POST":
        demand_recent_proof(request)
    form: RetentionForm = bound(RetentionForm, request, model=None)
    if request.method == "POST" and form.is_valid():
        by = Actor.of(request.user)  # type: ignore[arg-type]  # signed in
        try:
            change_retention(changes=parsed_choice(form.words()), by=by)
            told = "The rules are saved."
            if "run" in request.POST:
                removed = apply_retention(now=timezone.now(), by=by).total
                told = f"The rules are saved; {removed:,} things are removed."
        except PlatformError as error:
            form.refuse(error)
        else:
            messages.success(request, told)
            return redirect("admin:retention")
    page = FormPage(
        f"How long {current_tenant().name} keeps things",
        "Save the rules",
        intro=INTRO,
        sections=survey_tables(survey_retention(now=timezone.now())),
        second=("run", "Save, and remove now"),
    )
    words = {"page": page, "form": form, "cancel": reverse("admin:index"), "title": page.title}
    return TemplateResponse(request, "admin/pages/form.html", {**console.each_context(request), **words})


console_pages["retention"] = retention_page


def model_retention_page(
    page_admin: PlatformModelAdmin, request: HttpRequest, model: RegisteredModel
) -> HttpResponse:
    """Show the model's rules and what they mean now, and keep what was chosen."""

    def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
        change_retention(changes=parsed_choice(form.words()), by=by, model=model)
        return page_admin.done(request, "The rules are saved.", model)

    form: RetentionForm = bound(RetentionForm, request, model=model)
    page = FormPage(
        f"How long {model} keeps things",
        "Save the rules",
        intro=f"{INTRO} What is left empty follows the tenant's rules.",
        sections=survey_tables(survey_retention(now=timezone.now(), model=model)),
    )
    return page_admin.form_page(request, page=page, form=form, submit=submit, row=model)


def survey_tables(parts: Sequence[Part]) -> list[Section]:
    """Return what would go now, and what stays although it is old."""
    going = [
        [part.kind.title, part.model, _days(part.rule), part.survey.going, _size(part)]
        for part in parts
        if part.survey.going
    ]
    items = [
        [
            item.name,
            size(item.bytes),
            Badge("Stays", "good") if item.why else Badge("Goes", "warn"),
            item.why or None,
        ]
        for part in parts
        for item in (*part.survey.items, *part.survey.kept)
    ]
    return [
        Table(
            "What the next run removes",
            ["What", "Model", "Kept", "How many", "Size"],
            going,
            empty="Nothing: all that there is may stay by the rules.",
        ),
        Table(
            "Older versions and datasets one by one",
            ["Name", "Size", "Verdict", "Why it stays"],
            items,
            empty="None is older than its rule's days.",
        ),
    ]


def _size(part: Part) -> str | None:
    return size(part.survey.bytes) if part.survey.bytes else None


def _days(rule: Rule) -> str:
    return "for ever" if rule.days is None else f"{rule.days} days"


def _written(own: Mapping[str, int | None], field: str) -> str:
    if field not in own:
        return ""
    return NEVER if own[field] is None else str(own[field])
