"""Bodies of the outcome endpoints."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from feedback.models import Outcome
from feedback.services.outcomes import MAX_OUTCOMES
from mlplatform.api.views import StrictSerializer


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]})
class OutcomeValueField(serializers.Field[Any, Any, Any, Any]):
    """A class or a number; the model's problem type says which, so the service checks it."""

    def to_internal_value(self, data: Any) -> Any:
        """Take the value as it came."""
        return data

    def to_representation(self, value: Any) -> Any:
        """Show the value as it is."""
        return value


class OutcomeItemSerializer(StrictSerializer):
    """One outcome to record."""

    prediction = serializers.CharField(max_length=64, help_text="The id in the prediction's answer.")
    value = OutcomeValueField(help_text="What it turned out to be: a class of the model, or a number.")


class OutcomeReportSerializer(StrictSerializer):
    """One outcome (``prediction`` and ``value``) or many (``outcomes``)."""

    prediction = serializers.CharField(max_length=64, required=False)
    value = OutcomeValueField(required=False)
    outcomes = OutcomeItemSerializer(many=True, required=False)
    partial = serializers.BooleanField(  # type: ignore[assignment]  # the field's name in the body
        default=False, help_text="Record the good ones where some are wrong; otherwise none is recorded."
    )

    def validate_outcomes(self, outcomes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Refuse an empty or too long list."""
        if not 1 <= len(outcomes) <= MAX_OUTCOMES:
            raise serializers.ValidationError(f"Send between 1 and {MAX_OUTCOMES:,} outcomes.")
        return outcomes

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Accept exactly one of the two forms."""
        one = {"prediction", "value"} & set(attrs)
        if ("outcomes" in attrs) == bool(one) or len(one) == 1:
            raise serializers.ValidationError("Send either prediction and value, or a list of outcomes.")
        if one:
            attrs["outcomes"] = [{name: attrs.pop(name) for name in sorted(one)}]
        return attrs


class OutcomeErrorSerializer(serializers.Serializer[Any]):
    """Why one item was left out."""

    index = serializers.IntegerField()
    prediction_id = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class OutcomeResultSerializer(serializers.Serializer[Any]):
    """What came of a report."""

    accepted = serializers.IntegerField()
    repeated = serializers.IntegerField()
    corrected = serializers.IntegerField()
    errors = OutcomeErrorSerializer(many=True)  # type: ignore[assignment]  # the field's name in the answer


class OutcomeSerializer(serializers.ModelSerializer[Outcome]):
    """A recorded outcome."""

    prediction = serializers.UUIDField(source="prediction_id", read_only=True)
    model = serializers.CharField(source="model.name", read_only=True)
    version = serializers.IntegerField(source="prediction.version.number", read_only=True)
    value = serializers.SerializerMethodField("label_or_number")

    class Meta:
        model = Outcome
        fields = ["id", "prediction", "model", "version", "value", "current"]
        fields += ["source", "received_at", "received_from"]

    @extend_schema_field({"oneOf": [{"type": "string"}, {"type": "number"}]})
    def label_or_number(self, outcome: Outcome) -> str | float | None:
        """Return the label, or the number."""
        return outcome.value if outcome.value is not None else outcome.label
