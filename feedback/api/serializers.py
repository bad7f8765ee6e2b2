"""Bodies of the outcome endpoints."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from feedback.models import HeldOutcome, Outcome, Rating
from feedback.models.held import HeldState
from feedback.services.delays import NEWEST
from feedback.services.opinions import LONGEST_COMMENT
from feedback.services.reported import OutcomeItem
from mlplatform.api.views import StrictSerializer

MOST_IN_JSON = 10_000
OF_AN_ITEM = ("prediction", "entity_key", "value", "observed_at", "rating", "comment")
SAYS = ("value", "rating", "comment")


@extend_schema_field({"oneOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]})
class OutcomeValueField(serializers.Field[Any, Any, Any, Any]):
    """A class or a number; the model's problem type says which, so the service checks it."""

    def to_internal_value(self, data: Any) -> Any:
        """Take the value as it came."""
        return data

    def to_representation(self, value: Any) -> Any:
        """Show the value as it is."""
        return value


class HoldSerializer(StrictSerializer):
    """What becomes of outcomes whose prediction is not known."""

    hold = serializers.BooleanField(
        default=True,
        help_text="Keep outcomes whose prediction is not known until it is; false: they are errors.",
    )


@extend_schema_field({"oneOf": [{"type": "integer", "minimum": 1, "maximum": 5}, {"enum": ["up", "down"]}]})
class RatingField(OutcomeValueField):
    """From 1 to 5, up or down; the service checks it."""


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
    value = OutcomeValueField(
        required=False, help_text="What it turned out to be: a class of the model, or a number."
    )
    observed_at = serializers.CharField(
        max_length=40, required=False, allow_null=True, default=None, help_text="When it happened (ISO 8601)."
    )
    rating = RatingField(required=False, help_text="What somebody thinks of the answer.")
    comment = serializers.CharField(
        max_length=LONGEST_COMMENT, required=False, allow_blank=True, help_text="The same in words."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for one name of what it is about."""
        if bool(attrs["prediction"]) == bool(attrs["entity_key"]):
            raise serializers.ValidationError("Send either prediction or entity_key.")
        if not set(SAYS) & set(attrs):
            raise serializers.ValidationError("Send value, rating or comment.")
        return attrs


class OutcomeReportSerializer(HoldSerializer):
    """One outcome (``prediction`` or ``entity_key``, and ``value``) or many (``outcomes``)."""

    prediction = serializers.CharField(max_length=64, required=False)
    entity_key = serializers.CharField(max_length=200, required=False, trim_whitespace=False)
    value = OutcomeValueField(required=False)
    observed_at = serializers.CharField(max_length=40, required=False, allow_null=True)
    rating = RatingField(required=False)
    comment = serializers.CharField(max_length=LONGEST_COMMENT, required=False, allow_blank=True)
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
            if not set(SAYS) & set(one) or bool(one.get("prediction")) == bool(one.get("entity_key")):
                told = "Send value, rating or comment, and either prediction or entity_key."
                raise serializers.ValidationError(told)
            attrs["outcomes"] = [one]
        return attrs


def reported(report: dict[str, Any]) -> list[OutcomeItem]:
    """Return a validated report as the service takes it."""
    return [
        OutcomeItem(
            item.get("prediction", ""),
            item.get("value"),
            item.get("entity_key", ""),
            item.get("model") or (report["model"] if item.get("entity_key") else ""),
            item.get("observed_at"),
            item.get("rating"),
            item.get("comment"),
        )
        for item in report["outcomes"]
    ]


class OutcomeErrorSerializer(serializers.Serializer[Any]):
    """Why one item was left out."""

    index = serializers.IntegerField()
    prediction_id = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class WaitingItemSerializer(serializers.Serializer[Any]):
    """An item that waits for its prediction."""

    index = serializers.IntegerField()
    prediction_id = serializers.CharField()


class OutcomeResultSerializer(serializers.Serializer[Any]):
    """What came of a report."""

    accepted = serializers.IntegerField()
    repeated = serializers.IntegerField()
    corrected = serializers.IntegerField(help_text="Of the accepted: those that replaced another value.")
    outdated = serializers.IntegerField(
        help_text="Of the accepted: those observed before what counts already, kept as history."
    )
    rated = serializers.IntegerField(help_text="Ratings and comments that were stored.")
    held = serializers.IntegerField(
        help_text="Those whose prediction is not known: they are kept, and count once it is."
    )
    waiting = WaitingItemSerializer(many=True, help_text="Which ones are held.")
    quarantined = serializers.IntegerField(
        help_text="Of the accepted: those set aside as suspicious until somebody decides."
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
        fields += ["source", "observed_at", "received_at", "received_from", "quarantine"]

    @extend_schema_field({"oneOf": [{"type": "string"}, {"type": "number"}]})
    def label_or_number(self, outcome: Outcome) -> str | float | None:
        """Return the label, or the number."""
        return outcome.value if outcome.value is not None else outcome.label


class HeldOutcomeSerializer(serializers.ModelSerializer[HeldOutcome]):
    """A report that waits for its prediction, or waited in vain."""

    prediction = serializers.UUIDField(source="prediction_key", read_only=True, allow_null=True)
    entity = serializers.CharField(source="entity_key", help_text="The case's pseudonym.", read_only=True)
    model = serializers.CharField(source="model.name", read_only=True, allow_null=True, default=None)
    value = OutcomeValueField(read_only=True, allow_null=True)
    state = serializers.ChoiceField(choices=HeldState.choices, read_only=True)

    class Meta:
        model = HeldOutcome
        fields = ["id", "prediction", "entity", "model", "value", "rating", "comment", "state", "reason"]
        fields += ["source", "observed_at", "received_at", "received_from"]


class HeldCountsBody(serializers.Serializer[Any]):
    """How many held outcomes there are."""

    waiting = serializers.IntegerField(help_text="Kept until their prediction is known.")
    expired = serializers.IntegerField(help_text="Given up, as none came in time.")
    refused = serializers.IntegerField(help_text="Their prediction came, and they did not fit it.")


class RatingSerializer(serializers.ModelSerializer[Rating]):
    """What somebody thinks of an answer."""

    prediction = serializers.UUIDField(source="prediction_id", read_only=True)
    model = serializers.CharField(source="model.name", read_only=True)
    version = serializers.IntegerField(source="prediction.version.number", read_only=True)
    rating = serializers.CharField(read_only=True, help_text="1 to 5, up, down, or empty.")

    class Meta:
        model = Rating
        fields = ["id", "prediction", "model", "version", "rating", "comment", "current"]
        fields += ["source", "received_at", "received_from"]
