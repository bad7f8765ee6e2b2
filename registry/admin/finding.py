"""The page that tells a model's best version by a metric."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.commands import FormPage
from mlplatform.admin.forms import ConsoleForm, bound
from mlplatform.admin.links import page_url
from mlplatform.admin.parts import Facts
from mlplatform.errors import PlatformError
from registry.admin.words import interval_words, is_champion, status_badge
from registry.models import RegisteredModel
from registry.services.searching import best_version


class MetricForm(ConsoleForm):
    """By which metric."""

    metric = forms.ChoiceField(help_text="Of the ready versions the one with the best value on its hold-out.")

    def __init__(self, *args: Any, model: RegisteredModel, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(metric.name, metric.title) for metric in model.problem.metrics]
        self.fields["metric"].choices = choices  # type: ignore[attr-defined]  # a choice field


def best_page(page_admin: PlatformModelAdmin, request: HttpRequest, model: RegisteredModel) -> HttpResponse:
    """Ask for a metric, and tell which version is best by it."""
    form = bound(MetricForm, request, model=model, initial={"metric": model.problem.primary_metric})
    found = []
    if request.method == "POST" and form.is_valid():
        try:
            found = [_told(model, form.cleaned_data["metric"])]
        except PlatformError as error:
            form.refuse(error)
    page = FormPage(f"Best version of {model}", "Tell", sections=found)
    cancel = page_url(model)
    return page_admin.render(request, "admin/pages/form.html", model, page=page, form=form, cancel=cancel)


def _told(model: RegisteredModel, name: str) -> Facts:
    best, metric = best_version(model, name), model.problem.metric(name)
    return Facts(
        f"Best by {metric.title}",
        [
            ("Version", best),
            (metric.title, best.metrics[name]),
            ("Between", interval_words(best.evaluation.get("intervals", {}).get(name))),
            ("Hold-out rows", best.holdout_rows),
            ("State", status_badge(best, is_champion(best))),
        ],
        "Each version is measured on its own hold-out; the gates compare two on the same rows.",
        wide=True,
    )
