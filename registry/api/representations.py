"""What the registry's endpoints answer."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from registry.models import Deployment, ModelVersion, RegisteredModel
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
