"""What an answer looks like in the API: one row's, a request's, and a logged one's."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from registry.models import Prediction
from registry.models.registered_model import ProblemKind
from registry.problems.anomaly import ANOMALY
from registry.services.serving import Answer


def named_answer(problem_type: str, label: str, value: float | None) -> dict[str, Any]:
    """Return label and number of an anomaly or a cluster under the names that clients look for."""
    match problem_type:
        case ProblemKind.ANOMALY_DETECTION:
            return {"is_anomaly": label == ANOMALY, "score": value}
        case ProblemKind.CLUSTERING:
            return {"cluster": label, "distance": value}
    return {}


def _named(prediction: Prediction) -> dict[str, Any]:
    return named_answer(prediction.model.problem_type, prediction.label, prediction.value)


class RowAnswerBody(serializers.ModelSerializer[Prediction]):
    """The answer for one row.

    A classification gives ``label`` and ``probabilities``; a regression ``value``; anomaly detection
    ``is_anomaly`` and ``score``, 0 to 1; a clustering ``cluster``, ``distance`` to its middle or nearest core
    row, and where known the ``probabilities`` of the clusters. What does not apply is null or left out.
    """

    version = serializers.IntegerField(source="version.number", read_only=True)
    label = serializers.SerializerMethodField()  # type: ignore[assignment]  # DRF takes fields off the class

    class Meta:
        model = Prediction
        fields = ["id", "entity_key", "version", "label", "value", "probabilities", "cached"]
        read_only_fields = fields

    @extend_schema_field({"type": "string", "nullable": True})
    def get_label(self, prediction: Prediction) -> str | None:
        """Return the label, or None for a regression."""
        return prediction.label or None

    def to_representation(self, instance: Prediction) -> dict[str, Any]:
        """Add what the kind of problem calls the label and the number."""
        return {**super().to_representation(instance), **_named(instance)}


class ContributionBody(serializers.Serializer[Any]):
    """One column's part in the answer."""

    feature = serializers.CharField()
    effect = serializers.FloatField()


class ReasonsBody(serializers.Serializer[Any]):
    """What is usual, what was answered, and the largest of what moved it, in numbers and in words.

    ``base`` plus all effects is ``answer``: the probability of the class ``explained``, or the number.
    ``others`` is what the columns that are not listed come to together.
    """

    explained = serializers.CharField(allow_null=True)
    method = serializers.CharField()
    base = serializers.FloatField()
    answer = serializers.FloatField()
    contributions = ContributionBody(many=True)
    others = serializers.FloatField()
    sentences = serializers.ListField(child=serializers.CharField())
    fidelity = serializers.FloatField(allow_null=True)


class BoundedAnswerBody(RowAnswerBody):
    """An answer with what was asked beside it.

    ``interval`` for a number, ``possible`` for classes, ``explanation`` for what moved it.
    """

    interval = serializers.SerializerMethodField()
    possible = serializers.SerializerMethodField()
    explanation = ReasonsBody(source="reasons", allow_null=True)

    class Meta(RowAnswerBody.Meta):
        fields = [*RowAnswerBody.Meta.fields, "interval", "possible", "explanation"]
        read_only_fields = fields

    @extend_schema_field({"type": "array", "items": {"type": "number"}, "nullable": True})
    def get_interval(self, prediction: Prediction) -> list[float] | None:
        """Return the ends of the interval, or None where none was asked for."""
        ends = prediction.bounds and prediction.bounds.interval
        return list(ends) if ends else None

    @extend_schema_field({"type": "array", "items": {"type": "string"}, "nullable": True})
    def get_possible(self, prediction: Prediction) -> list[str] | None:
        """Return the classes that cannot be ruled out, or None where they were not asked for."""
        return prediction.bounds.possible if prediction.bounds else None


class AnswerBody(serializers.Serializer[Any]):
    """The answers, in the order of the rows, each wholly of one version."""

    model = serializers.CharField()
    version = serializers.IntegerField(
        allow_null=True, help_text="Of all rows; null where a rollout dealt them to two versions."
    )
    instead_of = serializers.IntegerField(
        allow_null=True,
        help_text="The version that should have answered, where its file is damaged and an earlier one did.",
    )
    request_id = serializers.CharField()
    latency_ms = serializers.FloatField()
    engine = serializers.CharField(
        allow_null=True,
        help_text="Who computed all rows: onnx (the twin), walked, or original; null where they differ.",
    )
    predictions = BoundedAnswerBody(many=True)


def with_shares(answer: Answer, shares: bool) -> Answer:
    """Return the answer, without probabilities where they are not wanted; the log has them."""
    if not shares:
        for prediction in answer.predictions:
            prediction.probabilities = None
    return answer


class PredictionBody(RowAnswerBody):
    """A logged prediction."""

    model = serializers.CharField(source="model.name", read_only=True)
    rollout = serializers.IntegerField(source="rollout_id", allow_null=True, read_only=True)

    class Meta(RowAnswerBody.Meta):
        fields = [
            "id",
            "model",
            "version",
            "rollout",
            "entity_key",
            "label",
            "value",
            "probabilities",
            "features",
            "engine",
            "cached",
            "latency_ms",
            "request_id",
            "asked_by",
            "created_at",
        ]
        read_only_fields = fields
