"""Bodies of the outcome endpoints."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from feedback.models import Outcome
from feedback.services.delays import NEWEST
from feedback.services.reported import OutcomeItem
from mlplatform.api.views import StrictSerializer

MOST_IN_JSON = 10_000
OF_AN_ITEM = ("prediction", "entity_key", "value", "observed_at")


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
    """One outcome to record: of a prediction, or of a case of a model."""

    prediction = serializers.CharField(
        max_length=64, required=False, default="", help_text="The id in the prediction's answer."
    )
    entity_key = serializers.CharField(
        max_length=200,
        required=False,
        default="",
        trim_whitespace=False,
        help_text="Your own name for the case, as sent with the prediction, in place of the id.",
    )
    model = serializers.CharField(
        max_length=100, required=False, default="", help_text="Which model was asked about the case."
    )
    value = OutcomeValueField(help_text="What it turned out to be: a class of the model, or a number.")
    observed_at = serializers.CharField(
        max_length=40, required=False, allow_null=True, default=None, help_text="When it happened (ISO 8601)."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for one name of what it is about."""
        if bool(attrs["prediction"]) == bool(attrs["entity_key"]):
            raise serializers.ValidationError("Send either prediction or entity_key.")
        return attrs


class OutcomeReportSerializer(StrictSerializer):
    """One outcome (``prediction`` or ``entity_key``, and ``value``) or many (``outcomes``)."""

    prediction = serializers.CharField(max_length=64, required=False)
    entity_key = serializers.CharField(max_length=200, required=False, trim_whitespace=False)
    value = OutcomeValueField(required=False)
    observed_at = serializers.CharField(max_length=40, required=False, allow_null=True)
    model = serializers.CharField(
        max_length=100, required=False, default="", help_text="The model of entity keys that name none."
    )
    outcomes = OutcomeItemSerializer(many=True, required=False)
    partial = serializers.BooleanField(  # type: ignore[assignment]  # the field's name in the body
        default=False, help_text="Record the good ones where some are wrong; otherwise none is recorded."
    )

    def validate_outcomes(self, outcomes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Refuse an empty or too long list."""
        if not 1 <= len(outcomes) <= MOST_IN_JSON:
            raise serializers.ValidationError(f"Send between 1 and {MOST_IN_JSON:,} outcomes.")
        return outcomes

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Accept exactly one of the two forms."""
        one = {name: attrs.pop(name) for name in OF_AN_ITEM if name in attrs}
        if ("outcomes" in attrs) == bool(one):
            raise serializers.ValidationError("Send either one outcome or a list of outcomes.")
        if one:
            if "value" not in one or bool(one.get("prediction")) == bool(one.get("entity_key")):
                raise serializers.ValidationError("Send value, and either prediction or entity_key.")
            attrs["outcomes"] = [one]
        return attrs


def reported(report: dict[str, Any]) -> list[OutcomeItem]:
    """Return a validated report as the service takes it."""
    return [
        OutcomeItem(
            item.get("prediction", ""),
            item["value"],
            item.get("entity_key", ""),
            item.get("model") or (report["model"] if item.get("entity_key") else ""),
            item.get("observed_at"),
        )
        for item in report["outcomes"]
    ]


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
    corrected = serializers.IntegerField(help_text="Of the accepted: those that replaced another value.")
    outdated = serializers.IntegerField(
        help_text="Of the accepted: those observed before what counts already, kept as history."
    )
    refused = serializers.IntegerField()
    errors = OutcomeErrorSerializer(many=True)  # type: ignore[assignment]  # the field's name in the answer


class LabelDelayBody(serializers.Serializer[Any]):
    """How long after their predictions outcomes come."""

    model = serializers.CharField()
    count = serializers.IntegerField(help_text=f"Of the newest {NEWEST:,} predictions with an outcome.")
    median_seconds = serializers.FloatField(allow_null=True)
    p90_seconds = serializers.FloatField(allow_null=True, help_text="Nine tenths came within this time.")


class OutcomeSerializer(serializers.ModelSerializer[Outcome]):
    """A recorded outcome."""

    prediction = serializers.UUIDField(source="prediction_id", read_only=True)
    model = serializers.CharField(source="model.name", read_only=True)
    version = serializers.IntegerField(source="prediction.version.number", read_only=True)
    value = serializers.SerializerMethodField("label_or_number")

    class Meta:
        model = Outcome
        fields = ["id", "prediction", "model", "version", "value", "current"]
        fields += ["source", "observed_at", "received_at", "received_from"]

    @extend_schema_field({"oneOf": [{"type": "string"}, {"type": "number"}]})
    def label_or_number(self, outcome: Outcome) -> str | float | None:
        """Return the label, or the number."""
        return outcome.value if outcome.value is not None else outcome.label
