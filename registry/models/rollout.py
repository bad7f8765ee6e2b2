"""A challenger that answers some of the cases, until it is known whether it is better."""

from datetime import datetime
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from mlplatform.tenancy.models import TenantModel
from mlplatform.tenancy.models.audit import actor_name
from registry.inference.routing import Route, Step

LEAST_SHARE, MOST_SHARE = 0.01, 0.9
LEAST_ALPHA, MOST_ALPHA = 0.001, 0.2
LEAST_OUTCOMES, MOST_OUTCOMES = 10, 1_000_000
LONGEST_DAYS = 365


class RolloutKind(models.TextChoices):
    """What it is for: to find out which is better, or to bring a version in with care."""

    AB = "ab", "A/B test"
    CANARY = "canary", "Canary"


class RolloutState(models.TextChoices):
    """Where a rollout stands; all but the first two are its end."""

    RUNNING = "running", "Runs"
    PAUSED = "paused", "Paused"
    PROMOTED = "promoted", "Challenger promoted"
    KEPT = "kept", "Challenger good, not promoted"
    ROLLED_BACK = "rolled_back", "Challenger taken back"
    UNDECIDED = "undecided", "Ended undecided"
    STOPPED = "stopped", "Stopped"
    OVERTAKEN = "overtaken", "Overtaken"


ACTIVE_ROLLOUTS = (RolloutState.RUNNING, RolloutState.PAUSED)


class WhenGood(models.TextChoices):
    """What is done once the challenger has shown that it is good."""

    PROMOTE = "promote", "Promote it if its gates pass"
    TELL = "tell", "Only tell"


class Rollout(TenantModel):
    """One challenger beside the champion: who gets it, how it is judged, and what came of it.

    ``steps`` is the plan and the history of the challenger's share, a list of ``{"at", "share"}``, the oldest
    first; all shares lie between ``least_share`` and ``most_share``, for which the comparison is laid out.
    Errors are counted up to ``largest_error``, and a difference of up to ``margin`` is nothing, in the unit
    of the errors: the share of wrong labels, or the target's own unit. ``verdict`` is the newest weighing of
    the outcomes, a ``monitoring.statistics.weighing.Weighed``.
    """

    model_link = "model"

    model = models.ForeignKey("registry.RegisteredModel", on_delete=models.PROTECT, related_name="rollouts")
    champion = models.ForeignKey(
        "registry.ModelVersion", on_delete=models.PROTECT, related_name="rollouts_against"
    )
    challenger = models.ForeignKey("registry.ModelVersion", on_delete=models.PROTECT, related_name="rollouts")
    kind = models.CharField(max_length=10, choices=RolloutKind)
    state = models.CharField(max_length=20, choices=RolloutState, default=RolloutState.RUNNING)
    salt = models.CharField(max_length=64, editable=False)
    steps = models.JSONField()
    least_share = models.FloatField()
    most_share = models.FloatField()
    when_good = models.CharField(
        max_length=10,
        choices=WhenGood,
        default=WhenGood.PROMOTE,
        help_text="What is done once the challenger has shown that it is good.",
    )
    margin = models.FloatField(
        help_text="By how much it may be worse: of wrong labels, or in the target's unit."
    )
    alpha = models.FloatField(
        default=0.05,
        validators=[MinValueValidator(LEAST_ALPHA), MaxValueValidator(MOST_ALPHA)],
        help_text="How often a wrong verdict is accepted, however often one looks.",
    )
    minimum = models.PositiveIntegerField(
        default=100,
        validators=[MinValueValidator(LEAST_OUTCOMES), MaxValueValidator(MOST_OUTCOMES)],
        help_text="Cases of either version with an outcome, before the challenger can be found good.",
    )
    largest_error = models.FloatField(help_text="Errors beyond count as this one.")
    critical_error = models.FloatField(
        null=True, help_text="A single error of the challenger so large stops it at once."
    )
    ends_at = models.DateTimeField(help_text="Undecided until then, it ends.")
    reason = models.CharField(max_length=500, blank=True)
    verdict = models.JSONField(default=dict)
    weighed_at = models.DateTimeField(null=True)
    actor_kind = models.CharField(max_length=20)
    actor_label = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)
    paused_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=250, blank=True)
    outcome = models.CharField(max_length=1000, blank=True, help_text="What came of it, and why.")
    deployment = models.OneToOneField(
        "registry.Deployment", null=True, on_delete=models.PROTECT, related_name="rollout"
    )

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "model"],
                condition=models.Q(state__in=ACTIVE_ROLLOUTS),
                name="one_rollout_at_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(least_share__gte=LEAST_SHARE, most_share__lte=MOST_SHARE),
                name="rollout_shares_in_bounds",
            ),
        ]
        indexes = [models.Index(fields=["tenant", "model", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.challenger}"

    @property
    def started_by(self) -> str:
        """Who started it."""
        return actor_name(self.actor_kind, self.actor_label)

    @property
    def is_active(self) -> bool:
        """Whether it runs or is paused."""
        return self.state in ACTIVE_ROLLOUTS

    @property
    def route(self) -> Route:
        """How cases are dealt out."""
        return Route(self.salt, tuple(step_of(one) for one in self.steps))


def step_of(stored: dict[str, Any]) -> Step:
    """Return a step as it is stored."""
    return Step(datetime.fromisoformat(stored["at"]), float(stored["share"]))


def stored_step(step: Step) -> dict[str, Any]:
    """Return a step as JSON."""
    return {"at": step.at.isoformat(), "share": step.share}
