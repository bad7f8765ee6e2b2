"""Bodies of the drift endpoints."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from mlplatform.api.views import StrictSerializer
from monitoring.frames import unwatched
from monitoring.models import DriftReport, DriftResult, DriftSettings
from monitoring.models.drift import DriftRule
from monitoring.services.drift_measures import ON_BINS, ON_ROWS
from monitoring.services.drift_words import cost_in_words, result_in_words, rule_in_words


class DriftSettingsBody(serializers.ModelSerializer[DriftSettings]):
    """By which rule a model's drift is judged."""

    model = serializers.CharField(source="model.name", read_only=True)

    class Meta:
        model = DriftSettings
        fields = ["model", "rule", "false_alarms_a_month", "psi_limit", "drift_share", "updated_at"]
        read_only_fields = fields


class DriftSettingsRequest(StrictSerializer):
    """Fields of the settings; what is left out stays as it is."""

    rule = serializers.ChoiceField(choices=DriftRule.choices, required=False)
    false_alarms_a_month = serializers.FloatField(
        required=False, help_text="How many alarms a month may come although nothing has changed (1)."
    )
    psi_limit = serializers.FloatField(
        required=False, help_text="Of the classic rule: above it a feature has drifted (0.1)."
    )
    drift_share = serializers.FloatField(
        required=False, help_text="Of the classic rule: the share of drifted features that is an alarm (0.3)."
    )


class DriftReportBody(serializers.ModelSerializer[DriftReport]):
    """A drift report without its features; ``alarm`` is its verdict, ``rule`` says in words how it came."""

    model = serializers.CharField(source="model.name", read_only=True)
    version = serializers.IntegerField(source="version.number", read_only=True)
    terms = serializers.DictField(read_only=True, help_text="The rule, and the numbers that count for it.")
    check_rate = serializers.FloatField(
        read_only=True, allow_null=True, help_text="How likely such a check raises a false alarm."
    )
    rule = serializers.SerializerMethodField()

    class Meta:
        model = DriftReport
        fields = [
            "id", "model", "version", "window_start", "window_end", "rows", "features", "drifted_features",
            "alarm", "terms", "check_rate", "rule", "created_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_rule(self, report: DriftReport) -> str:
        """Return which rule spoke, and what rate of false alarms it holds."""
        return rule_in_words(report)


class MeasuresBody(serializers.Serializer[Any]):
    """Every measure of one column; the distances of distribution functions are null for categories."""

    psi = serializers.FloatField()
    jensen_shannon = serializers.FloatField(help_text="The distance, in bits: 0 to 1.")
    hellinger = serializers.FloatField()
    l_infinity = serializers.FloatField(help_text="The largest change of a share.")
    cramers_v = serializers.FloatField()
    chi_square = serializers.FloatField()
    chi_square_freedom = serializers.IntegerField()
    chi_square_p = serializers.FloatField()
    kolmogorov_smirnov = serializers.FloatField(allow_null=True)
    kolmogorov_smirnov_p = serializers.FloatField(allow_null=True, help_text="Known once rows were read.")
    wasserstein = serializers.FloatField(
        allow_null=True, help_text="In standard deviations of the reference."
    )
    distances_from = serializers.ChoiceField(
        choices=[(ON_BINS, "the reference's bins"), (ON_ROWS, "rows, exactly")],
        help_text="What the last two were taken from.",
    )


class DriftResultBody(serializers.ModelSerializer[DriftResult]):
    """One feature's score; ``current`` holds the window's counts on the bins of the reference.

    ``cost`` is the drift weighted by the feature's importance, in the unit of the primary metric.
    """

    measures = serializers.SerializerMethodField()
    appeared = serializers.ListField(child=serializers.CharField(), read_only=True)
    vanished = serializers.ListField(child=serializers.CharField(), read_only=True)
    current = serializers.DictField(read_only=True)
    words = serializers.SerializerMethodField()

    class Meta:
        model = DriftResult
        fields = [
            "feature", "statistic", "score", "threshold", "drifted", "p_value", "measures", "appeared",
            "vanished", "importance", "cost", "words", "current",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(MeasuresBody(allow_null=True))
    def get_measures(self, result: DriftResult) -> dict[str, Any] | None:
        """Return every measure; null in reports from before they were stored."""
        return MeasuresBody(result.measures).data if result.measures else None

    def get_words(self, result: DriftResult) -> list[str]:
        """Return what has changed, in sentences."""
        version = result.report.version
        cost = cost_in_words(version, result)
        return [*result_in_words(version, result), *([cost] if cost else [])]


class PeriodDriftBody(DriftReportBody):
    """Drift over a period, told when it is asked for: not stored, so without a number."""

    results = DriftResultBody(source="found", many=True, read_only=True)

    class Meta(DriftReportBody.Meta):
        fields = [
            *(name for name in DriftReportBody.Meta.fields if name not in {"id", "created_at"}),
            "results",
        ]
        read_only_fields = fields


class ClassifierBody(serializers.Serializer[Any]):
    """How well a classifier tells training rows from predictions; an area of 0.5 is guessing."""

    area = serializers.FloatField(help_text="Under the ROC curve.")
    p_value = serializers.FloatField()


class ReconstructionBody(serializers.Serializer[Any]):
    """The mean errors at which the training's main directions rebuild its own rows, and the predictions."""

    reference = serializers.FloatField()
    current = serializers.FloatField()
    p_value = serializers.FloatField()


class TogetherBody(serializers.Serializer[Any]):
    """All columns together, from a sample of rows; ``why_not`` says why they were not compared."""

    at = serializers.DateTimeField()
    why_not = serializers.CharField(required=False)
    training_rows = serializers.IntegerField(required=False)
    rows = serializers.IntegerField(required=False)
    domain_classifier = ClassifierBody(required=False)
    reconstruction = ReconstructionBody(required=False)


class DriftReportDetail(DriftReportBody):
    """A drift report with its features, the costliest first; not all personal features are watched."""

    results = DriftResultBody(many=True, read_only=True)
    log_share = serializers.FloatField(
        source="model.log_share", read_only=True, help_text="The share of answers that the log keeps now."
    )
    not_watched = serializers.SerializerMethodField()
    together = serializers.SerializerMethodField()

    class Meta(DriftReportBody.Meta):
        fields = [*DriftReportBody.Meta.fields, "log_share", "together", "results", "not_watched"]
        read_only_fields = fields

    @extend_schema_field(TogetherBody(allow_null=True))
    def get_together(self, report: DriftReport) -> dict[str, Any] | None:
        """Return how all columns together compare; null where no rows were read for this report."""
        return TogetherBody(report.together).data if report.together else None

    def get_not_watched(self, report: DriftReport) -> list[str]:
        """Return the features that are not compared, because they are personal."""
        return unwatched(report.version)
