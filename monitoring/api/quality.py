"""Quality over any period, over REST."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import PlatformView, StrictSerializer
from mlplatform.tenancy.permissions import Capability
from monitoring.services.periods import Period, period_of
from monitoring.services.places import Part
from monitoring.services.quality import quality_report
from monitoring.services.slices import demand_slice
from registry.models import RegisteredModel
from registry.services.models import find_model


class PeriodQuery(StrictSerializer):
    """A period of whole hours; without one, the last seven days."""

    since = serializers.DateTimeField(required=False, help_text="Predictions made in this hour or later.")
    until = serializers.DateTimeField(required=False, help_text="Predictions made before this moment.")


class SliceQuery(PeriodQuery):
    """A period, of one slice or of the whole."""

    column = serializers.CharField(required=False, default="", max_length=200, help_text="A slice's column.")
    value = serializers.CharField(required=False, default="", max_length=200, help_text="The slice's name.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Make a slice of column and value, which come together."""
        column, value = attrs.pop("column"), attrs.pop("value")
        if bool(column) != bool(value):
            missing = "value" if column else "column"
            raise serializers.ValidationError({missing: ["A slice needs its column and its value."]})
        return {**attrs, "part": Part(column, value)}


class QualityQuery(SliceQuery):
    """Which period, of which version, and the metric of the trend."""

    version = serializers.IntegerField(required=False, min_value=1, help_text="One version alone.")
    metric = serializers.CharField(
        required=False, default="", max_length=60, help_text="The trend's metric; by default the primary one."
    )


class EstimateBody(serializers.Serializer[Any]):
    """A value, and the ends between which the true one lies, 95 times in 100; null where not defined."""

    value = serializers.FloatField()
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)


class ErrorRiseBody(serializers.Serializer[Any]):
    """A rise of the errors: after which prediction it was told, and the mean errors before and since."""

    at = serializers.DateTimeField()
    rows = serializers.IntegerField(help_text="Outcomes until then.")
    before = serializers.FloatField()
    since = serializers.FloatField()


class ConceptDriftBody(serializers.Serializer[Any]):
    """How a version's errors went over all its outcomes, by the Page-Hinkley test.

    Errors are shares of wrong answers, or numbers in multiples of ``unit``. ``evidence`` is 1 where a rise is
    told; ``error`` is the mean since the last one.
    """

    rows = serializers.IntegerField()
    error = serializers.FloatField()
    evidence = serializers.FloatField()
    tolerance = serializers.FloatField(help_text="The rise that is borne.")
    unit = serializers.FloatField(allow_null=True)
    rises = ErrorRiseBody(many=True)


class VersionQualityBody(serializers.Serializer[Any]):
    """How one version did over the period.

    ``ahead`` is its primary metric less the champion's, each over its own rows; null for the champion and
    where one of the two has no outcomes. ``estimated`` is what was to be expected of all its predictions
    before any outcome, by CBPE or DLE, if the ``assumptions`` hold.
    """

    version = serializers.IntegerField(source="version.number")
    roles = serializers.ListField(child=serializers.CharField())
    predictions = serializers.IntegerField()
    labelled = serializers.IntegerField()
    metrics = serializers.DictField(source="realized", child=EstimateBody())
    estimated = serializers.DictField(child=EstimateBody())
    assumptions = serializers.CharField()
    holdout_metrics = serializers.DictField(source="version.metrics", child=serializers.FloatField())
    ahead = EstimateBody(allow_null=True)
    concept_drift = ConceptDriftBody(
        source="concept", allow_null=True, help_text="Null of a slice, and without outcomes."
    )


class QualityStepBody(serializers.Serializer[Any]):
    """One step of the trend; ``realized`` is null where no outcome is known, ``estimated`` without any."""

    begins = serializers.DateTimeField()
    predictions = serializers.IntegerField()
    labelled = serializers.IntegerField()
    realized = EstimateBody(allow_null=True)
    estimated = EstimateBody(allow_null=True)


class QualityTrendBody(serializers.Serializer[Any]):
    """One version's metric over the period."""

    version = serializers.IntegerField(source="version.number")
    metric = serializers.CharField()
    steps = QualityStepBody(many=True)


class QualityBody(serializers.Serializer[Any]):
    """A model's quality over a period; the champion comes first."""

    model = serializers.CharField()
    since = serializers.DateTimeField(source="report.period.since")
    until = serializers.DateTimeField(source="report.period.until")
    step_hours = serializers.FloatField()
    primary_metric = serializers.CharField()
    versions = VersionQualityBody(source="report.versions", many=True)
    trends = QualityTrendBody(source="report.trends", many=True)


class MeasuredView(PlatformView):
    """The base of what is measured over a period."""

    capabilities = {"get": Capability.VIEW}

    def asked(
        self, request: Request, name: str, query: type[PeriodQuery] = PeriodQuery
    ) -> tuple[RegisteredModel, Period, dict[str, Any]]:
        """Return the model, the period and what else was asked."""
        given = query(data=request.query_params.dict())
        given.is_valid(raise_exception=True)
        rest = dict(given.validated_data)
        model, period = find_model(name), period_of(rest.pop("since", None), rest.pop("until", None))
        if "part" in rest:
            demand_slice(model, rest["part"])
        return model, period, rest


class QualityView(MeasuredView):
    """Quality of one model."""

    @extend_schema(parameters=[QualityQuery], responses=QualityBody)
    def get(self, request: Request, name: str) -> Response:
        """Tell every metric of every version that answered in the period, with intervals, and its trend."""
        model, period, rest = self.asked(request, name, QualityQuery)
        body = {
            "model": model.name,
            "report": quality_report(model=model, period=period, **rest),
            "step_hours": period.step.total_seconds() / 3600,
            "primary_metric": model.problem.primary_metric,
        }
        return Response(QualityBody(body).data)
