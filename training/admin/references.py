"""The page that holds our implementations against scikit-learn's. It hangs in at the model's page."""

from django import forms
from django.http import HttpRequest, HttpResponse

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.extensions import model_commands
from mlplatform.admin.forms import ConsoleForm, bound
from mlplatform.admin.parts import Menu, Section
from mlplatform.admin.site import console
from mlplatform.errors import PlatformError
from mlplatform.tenancy.permissions import Capability
from registry.models import Dataset, RegisteredModel
from registry.models.registered_model import ProblemKind
from training.pages.references import TITLES, comparison_sections
from training.services.references import MOST_ROWS, compare_with_library

INTRO = (
    "Logistic regression and the decision tree are also written out by hand here, to learn from and to check "
    "the library's. See whether both come to the same answers on your data. Nothing is kept. Of more than "
    f"{MOST_ROWS:,} rows so many are drawn."
)


class ReferenceForm(ConsoleForm):
    """Which of both, on which data."""

    kind = forms.ChoiceField(choices=list(TITLES.items()), label="Algorithm")
    dataset: "forms.ModelChoiceField[Dataset]" = forms.ModelChoiceField(queryset=None)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        rows = Dataset.objects.defer("profile")
        self.fields["dataset"].queryset = rows  # type: ignore[attr-defined]  # a model choice


def compare_reference(request: HttpRequest, model: RegisteredModel) -> HttpResponse:
    """Show the form; on sending it, what came of the comparison above it."""
    newest = Dataset.objects.filter(versions__model=model).order_by("-versions__number").first()
    form = bound(ReferenceForm, request, initial={"dataset": newest})
    sections: list[Section] = []
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        try:
            found = compare_with_library(model=model, dataset=chosen["dataset"], kind=chosen["kind"])
            sections = list(comparison_sections(found))
        except PlatformError as error:
            form.refuse(error)
    page = FormPage("Ours against scikit-learn's", "Compare", intro=INTRO, sections=sections)
    admin = console.get_model_admin(RegisteredModel)
    assert isinstance(admin, PlatformModelAdmin)  # noqa: S101  # registered by the registry
    return admin.show_form(request, page=page, form=form, row=model)


def _classifies(model: RegisteredModel) -> bool:
    return model.problem_type == ProblemKind.CLASSIFICATION


model_commands.append(
    Command(
        "compare-reference",
        "Check the library",
        Capability.TRAIN,
        "balance",
        available=_classifies,
        view=compare_reference,
        menu=Menu.LOOK,
    )
)
