"""From data to a training in three steps: the question, how it is trained, the job."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.extensions import dataset_commands
from mlplatform.admin.forms import ConsoleForm, bound
from mlplatform.admin.links import add_url
from mlplatform.admin.parts import Table
from mlplatform.admin.site import console
from mlplatform.errors import PlatformError
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability, allowed_models, demand
from registry.models import Dataset, RegisteredModel
from registry.models.registered_model import ProblemKind
from registry.services.models import create_model
from training.admin.words import verdicts_table
from training.services.checks import check_for_training

MOST_CELLS = 5_000_000  # of a dataset that is checked while somebody waits


class QuestionForm(ConsoleForm):
    """What is asked of the data: a model that there is, or a new one."""

    model: "forms.ModelChoiceField[RegisteredModel]" = forms.ModelChoiceField(
        queryset=None, required=False, empty_label="A new one", help_text="Train a model that there is, or:"
    )
    target = forms.ChoiceField(
        required=False,
        label="What to predict",
        help_text="The column whose value you want to know beforehand. Nothing: look for groups or outliers.",
    )
    problem_type = forms.ChoiceField(
        choices=[("", "Tell it from the column"), *ProblemKind.choices],
        required=False,
        label="Kind of problem",
        help_text="Classification predicts one of several answers, regression a number.",
    )
    name = forms.CharField(
        max_length=100,
        required=False,
        label="Name of the new model",
        help_text="Used in the API's addresses, for example churn-risk.",
    )

    def __init__(self, *args: Any, dataset: Dataset, models: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["model"].queryset = models
        names = [column["name"] for column in dataset.columns]
        fields["target"].choices = [("", "Nothing"), *((name, name) for name in names)]

    def clean(self) -> dict[str, Any]:
        """Demand a name where no model was chosen."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not data.get("model") and not data.get("name"):
            self.add_error("name", "Choose a model above, or give the new one a name.")
        return data


def question_page(request: HttpRequest, dataset: Dataset) -> HttpResponse:
    """Ask what is asked of the data, then lead to how it is trained."""

    def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
        model = data["model"]
        if model is None:
            demand(request.user, Capability.TRAIN, "Your role registers no models.")
            kind, target = data["problem_type"], data["target"]
            model = create_model(name=data["name"], problem_type=kind, target=target, dataset=dataset, by=by)
        return HttpResponseRedirect(add_url("training.trainingjob", model=model.pk, dataset=dataset.pk))

    models = allowed_models(request.user, Capability.TRAIN).order_by("name")
    page = FormPage(
        f"Train on {dataset.name}: the question",
        "Next: how to train",
        intro=f"Step 1 of 2. {dataset.rows:,} rows, {len(dataset.columns)} columns.",
    )
    form = bound(QuestionForm, request, dataset=dataset, models=models)
    admin = cast(PlatformModelAdmin, console.get_model_admin(Dataset))
    return admin.form_page(request, page=page, form=form, submit=submit, row=dataset)


def checks_table(model: RegisteredModel, dataset: str) -> Table | None:
    """Return what the checks find in the dataset of this number; None where there is nothing to say."""
    chosen = Dataset.objects.filter(pk=dataset).first() if dataset.isdecimal() and len(dataset) < 19 else None
    if chosen is None or chosen.rows * len(chosen.columns) > MOST_CELLS:
        return None
    try:
        findings = check_for_training(model=model, dataset=chosen)
    except PlatformError as error:
        return Table(f"Checks of {chosen.name}", [], [], empty=error.detail)
    return verdicts_table(f"Checks of {chosen.name}", findings)


dataset_commands.append(
    Command("train", "Train a model on it", Capability.TRAIN, "model_training", "primary", view=question_page)
)
