"""The two forms by which a job is started: which model, then on what and how."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet

from mlplatform.admin.forms import ConsoleForm, FieldGroup
from registry.models import Dataset, RegisteredModel
from registry.models.registered_model import ProblemKind
from training.admin.automl_choice import AutoMLForm
from training.admin.measuring import MeasuringForm, columns_offered
from training.admin.options import AUTOML, OptionsForm
from training.admin.source_choice import SourceChoiceForm
from training.algorithms import algorithms_for
from training.models.job import Priority
from training.pages.settings import SEARCHES


class ModelChoiceForm(ConsoleForm):
    """The first step: which model."""

    model: "forms.ModelChoiceField[RegisteredModel]" = forms.ModelChoiceField(
        queryset=None, help_text="Its kind of problem decides which algorithms fit."
    )

    def __init__(self, *args: Any, models: QuerySet[RegisteredModel], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["model"].queryset = models  # type: ignore[attr-defined]  # a model choice


COSTS = ("positive", "false_positive", "false_negative")
OF_CLASSES = ("balance", "calibrate", "threshold", *COSTS, "favourable")
OF_AUTOML = ("aim", "per_millisecond", "one_model")
# Fields that say nothing for a kind of problem.
NOT_FOR: Mapping[str, Sequence[str]] = {
    ProblemKind.CLASSIFICATION: ("reshape_target",),
    ProblemKind.REGRESSION: OF_CLASSES,
    ProblemKind.ANOMALY_DETECTION: (*OF_CLASSES, *OF_AUTOML, "reshape_target", "fairness"),
    ProblemKind.CLUSTERING: (*OF_CLASSES, *OF_AUTOML, "reshape_target", "fairness"),
}
GROUPS = (
    FieldGroup("Data", ("dataset", "source", "on_source_failure")),
    FieldGroup("How the best model is found", ("search", "minutes")),
    FieldGroup(
        "How it is tested",
        ("split", "split_column", "holdout", "fairness", "favourable"),
        "split, fairness",
    ),
    FieldGroup(
        "More about the search",
        (*OF_AUTOML, "algorithms", "folds", "trials", "seed", "workers"),
        "algorithms, folds, trials",
        folded=True,
    ),
    FieldGroup(
        "How inputs are prepared",
        ("impute", "scale", "encode", "select", "balance", "reshape_target"),
        "as suits the algorithm where nothing is chosen",
        folded=True,
    ),
    FieldGroup(
        "How answers are made",
        ("calibrate", "threshold", *COSTS),
        "probabilities, threshold, costs",
        folded=True,
    ),
    FieldGroup("When it runs", ("priority",), "priority", folded=True),
)


class JobForm(AutoMLForm, OptionsForm, MeasuringForm, SourceChoiceForm):
    """The second step: on which data, with what."""

    groups = GROUPS

    dataset: "forms.ModelChoiceField[Dataset]" = forms.ModelChoiceField(
        queryset=None, required=False, help_text="Either this or a source."
    )
    algorithms = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Each is cross-validated; the best is trained on all rows. None chosen: those that suit.",
    )
    folds = forms.IntegerField(
        min_value=2, max_value=20, initial=5, help_text="Of the cross-validation, 2 to 20."
    )
    search = forms.ChoiceField(
        choices=[
            (AUTOML, "Find the best by itself (AutoML)"),
            ("", "Try each algorithm with its defaults"),
            *SEARCHES,
        ],
        required=False,
        initial=AUTOML,
        label="How",
        help_text="AutoML tries algorithms, parameters and preparations of the inputs together, and lets the "
        "best answer together. The other searches vary the parameters of the algorithms chosen below.",
    )
    trials = forms.IntegerField(
        min_value=1,
        max_value=1000,
        initial=40,
        required=False,
        help_text="A search makes at most so many trials.",
    )
    minutes = forms.IntegerField(
        min_value=1,
        max_value=1440,
        required=False,
        help_text="AutoML is done after so many (1 where left empty); a search begins no trial after them.",
    )
    seed = forms.IntegerField(
        min_value=0, initial=0, help_text="The same seed on the same data gives the same model."
    )

    workers = forms.IntegerField(
        min_value=1,
        initial=1,
        required=False,
        help_text="How many workers may share a search; idle ones join its own. AutoML needs one.",
    )
    priority = forms.ChoiceField(
        choices=Priority.choices,
        initial=Priority.NORMAL,
        required=False,
        help_text="Among your own waiting jobs; tenants take turns whatever it says.",
    )

    def __init__(self, *args: Any, model: RegisteredModel, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dataset = self.data.get("dataset") or self.initial.get("dataset") or ""
        self.offer_aims(model)
        self.offer_columns(columns_offered(model, str(dataset)))
        fitting = algorithms_for(model.problem_type)
        offered: Any = self.fields["algorithms"]
        offered.choices = [(one.key, f"{one.title}: {one.advice}") for one in fitting]
        if not model.problem.needs_target:
            offered = self.fields["search"]
            offered.choices = [choice for choice in offered.choices if choice[0] != AUTOML]
            offered.initial = ""
        for name in NOT_FOR.get(model.problem_type, ()):
            del self.fields[name]
        self.fields["dataset"].queryset = Dataset.objects.defer("profile", "columns")  # type: ignore[attr-defined]  # a model choice
