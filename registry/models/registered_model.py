"""A model by name: the thing that programs ask, whichever version answers."""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from mlplatform.tenancy.models import TenantModel
from registry.inference.twins import TOLERANCE
from registry.models.request import DAYS_CHECKED, USUAL_DAYS
from registry.problems import ProblemType, get_problem

NAME_FORM = RegexValidator(
    r"^[a-z0-9]+(?:[-_][a-z0-9]+)*$", "Use lower-case letters, digits, hyphens, for example churn-risk."
)
# Below /api/v1/models/ it is the address of something else.
NO_NAMES = RegexValidator(
    r"^import$", "This name is an address of the API. Choose another one.", inverse_match=True
)


class ProblemKind(models.TextChoices):
    """The problem types that ``registry.problems`` knows."""

    CLASSIFICATION = "classification", "Classification"
    REGRESSION = "regression", "Regression"
    ANOMALY_DETECTION = "anomaly_detection", "Anomaly detection"
    CLUSTERING = "clustering", "Clustering"


USUAL_CACHE_SECONDS, LONGEST_CACHE_SECONDS = 300, 86_400


class CheckPolicy(models.TextChoices):
    """What a training does where the checks of its data find something."""

    WARN = "warn", "Warn and train"
    BLOCK = "block", "Do not train"


class LogWriting(models.TextChoices):
    """When the row of an answer is written to the log."""

    BEFORE = "before", "Before the answer leaves"
    BACKGROUND = "background", "In the background, within 0.2 seconds"


class RegisteredModel(TenantModel):
    """A question asked of data: which column to predict, and what kind of problem that is.

    ``target`` is empty where nothing is predicted: a clustering, or anomalies that no column tells.

    ``personal`` maps each personal column to its treatment, a ``registry.tabular.schema.Treatment``.
    ``card_words`` maps sections of a model card (``registry.cards.sections``) to ``{"text", "by", "at"}``.
    """

    model_link = "name"

    name = models.CharField(
        max_length=100, validators=[NAME_FORM, NO_NAMES], help_text="Used in the API's addresses."
    )
    description = models.TextField(blank=True, help_text="What it is for, and who answers for it.")
    problem_type = models.CharField(max_length=30, choices=ProblemKind)
    target = models.CharField(
        max_length=200,
        blank=True,
        help_text="The column to predict; of anomalies the column that tells known ones, or none.",
    )
    personal = models.JSONField(default=dict, editable=False)
    data_checks = models.CharField(
        max_length=10,
        choices=CheckPolicy,
        default=CheckPolicy.WARN,
        help_text="What to do where the checks before training find something.",
    )
    log_writing = models.CharField(
        max_length=10,
        choices=LogWriting,
        default=LogWriting.BEFORE,
        help_text="When answers are written to the log. In the background is faster; what a killed server "
        "process had answered last may be missing from the log.",
    )
    log_share = models.FloatField(
        default=1.0,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text="The share of answers that is kept in the log, 0 to 1; the others have no id.",
    )
    cache_answers = models.BooleanField(
        default=False, help_text="Give a row that was asked before the same answer, without asking again."
    )
    cache_seconds = models.PositiveIntegerField(
        default=USUAL_CACHE_SECONDS,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_CACHE_SECONDS)],
        help_text="For how long an answer is given again.",
    )
    shadow_aliases = models.JSONField(
        default=list,
        editable=False,
        help_text="Aliases whose versions answer every logged row as well, unseen by the client.",
    )
    tags = models.JSONField(default=dict, editable=False, help_text="Words to find it by: name and value.")
    card_words = models.JSONField(
        default=dict, editable=False, help_text="What people wrote into the cards of its versions."
    )
    origin = models.JSONField(
        default=dict, editable=False, help_text="Of an imported model: from where, by whom, when."
    )
    gates = models.JSONField(
        default=dict, editable=False, help_text="Parameters by demanded gate; empty for the standard gates."
    )
    four_eyes = models.BooleanField(
        default=False, help_text="Whoever proposes a version as champion does not approve it."
    )
    request_days = models.PositiveSmallIntegerField(
        default=USUAL_DAYS, validators=DAYS_CHECKED, help_text="Days in which a proposal can be approved."
    )
    twin_tolerance = models.FloatField(
        "tolerance of twins",
        default=TOLERANCE,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="How far two probabilities, or numbers as a share of the largest, of a version and its "
        "twin in ONNX may be apart; every label must be the same.",
    )
    retention = models.JSONField(
        default=dict,
        editable=False,
        help_text="Where it differs from the tenant's: by kind, days and newest.",
    )
    slices = models.JSONField(
        default=dict,
        editable=False,
        help_text="Columns whose values are watched apart: by column, its cuts or values, and since when.",
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
            ),
            models.CheckConstraint(
                condition=models.Q(log_share__gte=0, log_share__lte=1), name="model_log_share_is_a_share"
            ),
            models.CheckConstraint(
                condition=(
                    models.Q(problem_type=ProblemKind.ANOMALY_DETECTION)
                    | (models.Q(problem_type=ProblemKind.CLUSTERING) & models.Q(target=""))
                    | (~models.Q(problem_type=ProblemKind.CLUSTERING) & ~models.Q(target=""))
                ),
                name="model_target_fits_problem",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def problem(self) -> ProblemType:
        """The problem type, as it is with or without a target."""
        return get_problem(self.problem_type, labelled=bool(self.target))

    @property
    def purpose(self) -> str:
        """What it does, in a few words."""
        if self.problem_type == ProblemKind.CLUSTERING:
            return "finds groups of similar rows"
        if self.problem_type == ProblemKind.ANOMALY_DETECTION:
            known = f", checked against the known ones in {self.target}" if self.target else ""
            return f"finds unusual rows{known}"
        return f"predicts {self.target}"
