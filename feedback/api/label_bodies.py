"""Bodies of the labelling and quarantine endpoints."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from feedback.api.serializers import OutcomeValueField
from feedback.models import FeedbackSettings, LabelItem, Quarantine
from feedback.models.label import LabelState
from feedback.models.quarantine import QuarantineState, Suspicion
from feedback.services.candidates import MOST_LISTED, Candidate, Reason, choices_of
from feedback.services.feedback_settings import FIELDS
from feedback.services.quarantines import LONGEST_REASON
from mlplatform.api.views import StrictSerializer


class QueueQuery(StrictSerializer):
    """Which part of the queue."""

    reason = serializers.ChoiceField(
        choices=[one.value for one in Reason], required=False, allow_null=True, default=None
    )
    limit = serializers.IntegerField(min_value=1, max_value=MOST_LISTED, default=20)


class CandidateBody(serializers.Serializer[Any]):
    """A prediction that is worth a label. What the model answered is left out, so as not to lead anybody."""

    prediction = serializers.UUIDField(source="prediction.pk")
    version = serializers.IntegerField(source="prediction.version.number")
    asked_at = serializers.DateTimeField(source="prediction.created_at")
    features = serializers.DictField(source="prediction.features")
    choices = serializers.SerializerMethodField(help_text="The classes; none for a number.")
    reasons = serializers.ListField(child=serializers.CharField())
    worth = serializers.FloatField(help_text="The share of rows that it stands above by its first reason.")

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_choices(self, candidate: Candidate) -> list[str]:
        """Return the classes that the label may be."""
        return choices_of(candidate.prediction.version)


class LabelRequest(StrictSerializer):
    """What it is, or that one would rather not say."""

    prediction = serializers.UUIDField()
    value = OutcomeValueField(required=False, help_text="A class of the model, or a number.")
    skip = serializers.BooleanField(default=False, help_text="Do not offer me this row again.")
    second_opinion = serializers.BooleanField(default=False, help_text="Let somebody else label it, too.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for one of the two."""
        if attrs["skip"] == ("value" in attrs):
            raise serializers.ValidationError("Send either value or skip.")
        return attrs


class DecideRequest(StrictSerializer):
    """What it is, and why."""

    value = OutcomeValueField(help_text="A class of the model, or a number.")
    reason = serializers.CharField(max_length=LONGEST_REASON)


class OneLabelBody(serializers.Serializer[Any]):
    """What one person said."""

    person = serializers.CharField()
    value = OutcomeValueField(source="told")
    created_at = serializers.DateTimeField()


class LabelItemBody(serializers.ModelSerializer[LabelItem]):
    """A labelled row. What was said is left out while a second opinion is waited for."""

    model = serializers.CharField(source="model.name", read_only=True)
    prediction = serializers.UUIDField(source="prediction_id", read_only=True)
    state = serializers.ChoiceField(choices=LabelState.choices, read_only=True)
    labels = serializers.SerializerMethodField()

    class Meta:
        model = LabelItem
        fields = ["id", "model", "prediction", "state", "second", "labels"]
        fields += ["created_at", "settled_at", "settled_by", "reason"]
        read_only_fields = fields

    @extend_schema_field(OneLabelBody(many=True))
    def get_labels(self, item: LabelItem) -> list[Any]:
        """Return what people said, once it leads nobody any more."""
        if item.state in {LabelState.WAITING, LabelState.SKIPPED}:
            return []
        return list(OneLabelBody([one for one in item.labels.all() if not one.skipped], many=True).data)


class AgreedBody(serializers.Serializer[Any]):
    """How far opinions agree."""

    rows = serializers.IntegerField(help_text="Rows that two people labelled.")
    agreed = serializers.IntegerField()
    share = serializers.FloatField(allow_null=True)
    kappa = serializers.FloatField(
        allow_null=True, help_text="Cohen's kappa; null for numbers, and where it is not defined."
    )


class PairAgreedBody(AgreedBody):
    """How far two people agree."""

    people = serializers.ListField(child=serializers.CharField())


class LabelAgreementBody(serializers.Serializer[Any]):
    """How far people agree, overall and by pair."""

    overall = AgreedBody()
    pairs = PairAgreedBody(many=True)


class QuarantineBody(serializers.ModelSerializer[Quarantine]):
    """Labels of one sender that were set aside together, why, and what was decided."""

    model = serializers.CharField(source="model.name", read_only=True)
    state = serializers.ChoiceField(choices=QuarantineState.choices, read_only=True)
    suspicion = serializers.ChoiceField(choices=Suspicion.choices, read_only=True)
    numbers = serializers.DictField(read_only=True)

    class Meta:
        model = Quarantine
        fields = ["id", "model", "sender", "suspicion", "reason", "numbers", "labels", "since", "state"]
        fields += ["opened_at", "decided_at", "decided_by", "decision"]
        read_only_fields = fields


class QuarantineDecision(StrictSerializer):
    """Why."""

    reason = serializers.CharField(max_length=LONGEST_REASON)


class FeedbackSettingsBody(serializers.ModelSerializer[FeedbackSettings]):
    """How a model's feedback is labelled and guarded."""

    model = serializers.CharField(source="model.name", read_only=True)
    trusted = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = FeedbackSettings
        fields = ["model", *FIELDS]
        read_only_fields = fields


class FeedbackSettingsRequest(StrictSerializer):
    """The fields to change."""

    guard = serializers.BooleanField(required=False)
    second_opinion_share = serializers.FloatField(required=False)
    number_tolerance = serializers.FloatField(required=False)
    least_labels = serializers.IntegerField(required=False)
    most_share = serializers.FloatField(required=False)
    false_alarm_rate = serializers.FloatField(required=False)
    least_change = serializers.FloatField(required=False)
    least_compared = serializers.IntegerField(required=False)
    most_disagreement = serializers.FloatField(required=False)
    trusted = serializers.ListField(child=serializers.CharField(max_length=200), required=False)
