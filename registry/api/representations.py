"""What the registry's endpoints answer."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from registry.models import Deployment, ModelVersion, Prediction, RegisteredModel
from registry.models.registered_model import ProblemKind
from registry.problems.anomaly import ANOMALY
from registry.services.serving import Answer
from registry.services.twins import twin_facts


class ModelBody(serializers.ModelSerializer[RegisteredModel]):
    """A model, and which version answers for it."""

    champion = serializers.IntegerField(source="champion_number", allow_null=True, read_only=True)
    versions = serializers.IntegerField(source="version_count", read_only=True)
    personal = serializers.DictField(child=serializers.CharField(), read_only=True)
    tags = serializers.DictField(child=serializers.CharField(), read_only=True)
    shadow_aliases = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = RegisteredModel
        fields = [
            "name",
            "description",
            "problem_type",
            "target",
            "data_checks",
            "log_writing",
            "twin_tolerance",
            "log_share",
            "cache_answers",
            "cache_seconds",
            "shadow_aliases",
            "personal",
            "tags",
            "origin",
            "champion",
            "versions",
            "created_at",
            "created_by",
        ]
        read_only_fields = fields


class VersionSummary(serializers.ModelSerializer[ModelVersion]):
    """A version as lists show it."""

    model = serializers.CharField(source="model.name", read_only=True)
    dataset = serializers.IntegerField(source="dataset_id", read_only=True)
    is_champion = serializers.BooleanField(read_only=True)
    tags = serializers.DictField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = ModelVersion
        fields = [
            "id",
            "model",
            "number",
            "status",
            "status_reason",
            "is_champion",
            "tags",
            "algorithm",
            "metrics",
            "dataset",
            "holdout_rows",
            "artifact_bytes",
            "created_at",
            "created_by",
        ]
        read_only_fields = fields


class TwinBody(serializers.Serializer[Any]):
    """The version's twin in ONNX: how far it agreed with the original, or why there is none.

    Without a twin the original may be ``walked``: asked without its library's checks, found to agree.
    """

    made = serializers.BooleanField()
    reason = serializers.CharField(help_text="Why there is none; empty where there is one.")
    rows = serializers.IntegerField(help_text="Real rows that both answered.")
    labels_differing = serializers.IntegerField()
    difference = serializers.FloatField(help_text="The largest between two numbers of their answers.")
    tolerance = serializers.FloatField()
    bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    walked = serializers.BooleanField(help_text="Without a twin: the original is asked without checks.")
    walked_reason = serializers.CharField(help_text="Why it is not; empty where it is, or need not be.")


class VersionBody(VersionSummary):
    """A version in full."""

    twin = serializers.SerializerMethodField()

    @extend_schema_field(TwinBody)
    def get_twin(self, version: ModelVersion) -> dict[str, Any]:
        """Return what is known of the twin."""
        return twin_facts(version)

    class Meta(VersionSummary.Meta):
        fields = [
            *VersionSummary.Meta.fields,
            "params",
            "features",
            "classes",
            "cv_metrics",
            "importance",
            "reference",
            "environment",
            "artifact_hash",
            "origin",
            "twin",
        ]
        read_only_fields = fields


class DeploymentBody(serializers.ModelSerializer[Deployment]):
    """One change of what runs."""

    model = serializers.CharField(source="model.name", read_only=True)
    version = serializers.IntegerField(source="version.number", read_only=True)
    previous = serializers.IntegerField(
        source="previous.number", allow_null=True, default=None, read_only=True
    )

    class Meta:
        model = Deployment
        fields = [
            "id",
            "model",
            "alias",
            "action",
            "version",
            "previous",
            "reason",
            "gates",
            "overridden",
            "request",
            "actor_kind",
            "actor_label",
            "created_at",
        ]
        read_only_fields = fields


class GateBody(serializers.Serializer[Any]):
    """One gate's verdict."""

    name = serializers.CharField()
    title = serializers.CharField()
    passed = serializers.BooleanField()
    detail = serializers.CharField()
    numbers = serializers.DictField()


class GatesBody(serializers.Serializer[Any]):
    """Every gate's verdict on a version."""

    model = serializers.CharField()
    version = serializers.IntegerField()
    champion = serializers.IntegerField(allow_null=True)
    passed = serializers.BooleanField()
    gates = GateBody(many=True)


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
