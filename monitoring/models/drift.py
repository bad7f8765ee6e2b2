"""How far the inputs have moved from the training data."""

from collections.abc import Mapping
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from mlplatform.tenancy.models import TenantModel
from monitoring.statistics.alarms import CLASSIC_LIMIT, CLASSIC_SHARE

RAREST, MOST_FREQUENT = 0.001, 1000.0  # false alarms a month


class DriftRule(models.TextChoices):
    """By what a check of drift decides."""

    CALIBRATED = "calibrated", "Calibrated: hold a rate of false alarms"
    CLASSIC = "classic", "Classic: fixed limits"


class DriftSettings(TenantModel):
    """By which rule a model's drift is judged."""

    model_link = "model"

    model = models.OneToOneField(
        "registry.RegisteredModel", on_delete=models.CASCADE, related_name="drift_settings"
    )
    rule = models.CharField(max_length=20, choices=DriftRule, default=DriftRule.CALIBRATED)
    false_alarms_a_month = models.FloatField(
        default=1.0,
        validators=[MinValueValidator(RAREST), MaxValueValidator(MOST_FREQUENT)],
        help_text="How many alarms a month may come although nothing has changed; for the calibrated rule.",
    )
    psi_limit = models.FloatField(
        "PSI limit",
        default=CLASSIC_LIMIT,
        validators=[MinValueValidator(0.0), MaxValueValidator(100.0)],
        help_text="Above it a feature has drifted: 0.1 is customary, 0.25 large; for the classic rule.",
    )
    drift_share = models.FloatField(
        default=CLASSIC_SHARE,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text="The share of drifted features from which on it is an alarm; for the classic rule.",
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "drift settings"

    def __str__(self) -> str:
        return f"Drift settings of {self.model}"

    @property
    def terms(self) -> dict[str, object]:
        """What a report is judged by: the rule, and the numbers that count for it."""
        if self.rule == DriftRule.CLASSIC:
            return {"rule": self.rule, "psi_limit": self.psi_limit, "drift_share": self.drift_share}
        return {"rule": self.rule, "false_alarms_a_month": self.false_alarms_a_month}


class DriftReport(TenantModel):
    """One drift check of one version over one window.

    ``terms`` say by which rule ``alarm`` was decided (``DriftSettings.terms``), ``check_rate`` how likely
    such a check raises a false alarm; None where the rule holds no rate. ``together`` holds what
    ``monitoring.services.together`` finds of all columns together, once rows were read for it.
    """

    model_link = "model"

    model = models.ForeignKey(
        "registry.RegisteredModel", on_delete=models.CASCADE, related_name="drift_reports"
    )
    version = models.ForeignKey(
        "registry.ModelVersion", on_delete=models.CASCADE, related_name="drift_reports"
    )
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    rows = models.PositiveIntegerField()
    drifted_features = models.PositiveIntegerField()
    features = models.PositiveIntegerField()
    alarm = models.BooleanField(default=False)
    terms = models.JSONField(default=dict)
    check_rate = models.FloatField(null=True)
    together = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    # The columns of a report that is told and not stored.
    unstored: "list[DriftResult] | None" = None

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["tenant", "model", "-created_at"])]

    def __str__(self) -> str:
        return f"{self.version}: {self.drifted_features} of {self.features} drifted"

    @property
    def found(self) -> "list[DriftResult]":
        """The columns, the costliest first."""
        results = self.results.all() if self.unstored is None else self.unstored
        return sorted(results, key=lambda result: (-result.cost, -result.score))


class DriftResult(TenantModel):
    """One feature's score in a drift check; ``current`` holds the window's counts on the reference's bins.

    ``measures`` holds what ``monitoring.services.drift_measures`` stores of every measure; ``appeared`` and
    ``vanished`` name categories that training did not know, and those that nobody sends any more;
    ``importance`` is the version's, in the unit of its primary metric, and ``cost`` the drift weighted by it.
    """

    model_link = "report"

    report = models.ForeignKey(DriftReport, on_delete=models.CASCADE, related_name="results")
    feature = models.CharField(max_length=200)
    statistic = models.CharField(max_length=30, default="psi")
    score = models.FloatField()
    threshold = models.FloatField()
    drifted = models.BooleanField()
    p_value = models.FloatField(null=True)
    measures = models.JSONField(default=dict)
    appeared = models.JSONField(default=list)
    vanished = models.JSONField(default=list)
    importance = models.FloatField(null=True)
    cost = models.FloatField(default=0.0)
    current = models.JSONField(default=dict)

    # What it was held against, where that is not the version's reference: a slice's training rows.
    then: Mapping[str, Any] | None = None

    class Meta:
        ordering = ["report", "-cost", "-score"]

    def __str__(self) -> str:
        return f"{self.feature}: {self.score:.3f}"

    @property
    def reference(self) -> Mapping[str, Any]:
        """The counts that it was held against; empty where they are gone."""
        return self.then or (self.report.version.reference or {}).get(self.feature) or {}
