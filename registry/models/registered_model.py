"""A model by name: the thing that programs ask, whichever version answers."""

from django.core.validators import RegexValidator
from django.db import models

from mlplatform.tenancy.models import TenantModel

NAME_FORM = RegexValidator(
    r"^[a-z0-9]+(?:[-_][a-z0-9]+)*$", "Use lower-case letters, digits, hyphens, for example churn-risk."
)


class ProblemKind(models.TextChoices):
    """The problem types that ``registry.problems`` knows."""

    CLASSIFICATION = "classification", "Classification"
    REGRESSION = "regression", "Regression"


class CheckPolicy(models.TextChoices):
    """What a training does where the checks of its data find something."""

    WARN = "warn", "Warn and train"
    BLOCK = "block", "Do not train"


class RegisteredModel(TenantModel):
    """A question asked of data: which column to predict, and what kind of problem that is.

    ``personal`` maps each personal column to its treatment, a ``registry.tabular.schema.Treatment``.
    """

    model_link = "name"

    name = models.CharField(max_length=100, validators=[NAME_FORM], help_text="Used in the API's addresses.")
    description = models.TextField(blank=True, help_text="What it is for, and who answers for it.")
    problem_type = models.CharField(max_length=30, choices=ProblemKind)
    target = models.CharField(max_length=200, help_text="The column to predict.")
    personal = models.JSONField(default=dict, editable=False)
    data_checks = models.CharField(
        max_length=10,
        choices=CheckPolicy,
        default=CheckPolicy.WARN,
        help_text="What to do where the checks before training find something.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=200, editable=False)

    class Meta:
        verbose_name = "model"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"],
                name="model_name_once",
                violation_error_message="A model of this name exists already.",
            )
        ]

    def __str__(self) -> str:
        return self.name
