"""Shapes of members, keys and audit events."""

from typing import Any

from rest_framework import serializers

from mlplatform.api.views import StrictSerializer
from mlplatform.tenancy.models import ApiKey, AuditEvent, Membership, Role, Scope, Tenant
from mlplatform.tenancy.services.api_keys import LONGEST_OVERLAP_HOURS, OVERLAP_HOURS
from mlplatform.tenancy.services.settings import SETTINGS


class WhoAmISerializer(serializers.Serializer[Any]):
    """Who asks, for which tenant, and what is allowed."""

    tenant = serializers.CharField()
    tenant_name = serializers.CharField()
    principal = serializers.CharField()
    kind = serializers.ChoiceField(choices=["user", "api_key"])
    capabilities = serializers.ListField(child=serializers.CharField())
    models = serializers.ListField(
        child=serializers.CharField(), help_text="The models that a key is for; empty: every model."
    )


class TenantSettingsSerializer(StrictSerializer, serializers.ModelSerializer[Tenant]):
    """The settings that the tenant's admin may change."""

    class Meta:
        model = Tenant
        fields = SETTINGS


class TenantSerializer(serializers.ModelSerializer[Tenant]):
    """The tenant and its settings."""

    class Meta:
        model = Tenant
        fields = ("slug", "name", "created_at", *SETTINGS)


class MemberSerializer(serializers.ModelSerializer[Membership]):
    """A member as shown."""

    email = serializers.EmailField(source="user.email")
    name = serializers.CharField(source="user.name")

    class Meta:
        model = Membership
        fields = ["id", "email", "name", "role", "created_at"]


class NewMemberSerializer(StrictSerializer):
    """Whom to invite, and as what."""

    email = serializers.EmailField()
    name = serializers.CharField(required=False, default="", max_length=150)
    role = serializers.ChoiceField(choices=Role.choices)


class RoleSerializer(StrictSerializer):
    """Another role for a member."""

    role = serializers.ChoiceField(choices=Role.choices)


class ApiKeySerializer(serializers.ModelSerializer[ApiKey]):
    """A key as shown; the secret is not stored and so never here."""

    models = serializers.ListField(
        child=serializers.CharField(), source="model_names", help_text="Empty: every model."
    )
    successor = serializers.PrimaryKeyRelatedField[ApiKey](
        read_only=True, allow_null=True, default=None, help_text="The key that replaces this one."
    )

    class Meta:
        model = ApiKey
        fields = [
            "id",
            "name",
            "prefix",
            "scopes",
            "models",
            "requests_per_minute",
            "created_at",
            "created_by",
            "expires_at",
            "last_used_at",
            "last_used_from",
            "revoked_at",
            "rotated_from",
            "successor",
        ]


class CreatedApiKeySerializer(ApiKeySerializer):
    """A key at the only moment at which its secret is known."""

    secret = serializers.CharField()

    class Meta(ApiKeySerializer.Meta):
        fields = [*ApiKeySerializer.Meta.fields, "secret"]


class NewApiKeySerializer(StrictSerializer):
    """What a new key is for."""

    name = serializers.CharField(max_length=100)
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=Scope.choices), allow_empty=False)
    models = serializers.ListField(
        child=serializers.CharField(max_length=100),
        required=False,
        default=list,
        max_length=1000,
        help_text="The models that it may use, by name. Empty: every model.",
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    requests_per_minute = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=1)


class ApiKeyLimitSerializer(StrictSerializer):
    """Another limit for a key; null for as many requests as its tenant may make."""

    requests_per_minute = serializers.IntegerField(allow_null=True, min_value=1)


class RotationSerializer(StrictSerializer):
    """How long the old key stays valid."""

    overlap_hours = serializers.IntegerField(
        required=False,
        default=OVERLAP_HOURS,
        min_value=0,
        max_value=LONGEST_OVERLAP_HOURS,
        help_text="Hours for which both keys work; with 0 the old one ends at once.",
    )


class LimitSerializer(serializers.Serializer[Any]):
    """One limit of the tenant and what is used of it."""

    name = serializers.CharField(source="kind.name")
    title = serializers.CharField(source="kind.title")
    limit = serializers.IntegerField()
    used = serializers.IntegerField(help_text="Of requests: by all keys in the present minute.")
    own = serializers.BooleanField(help_text="Set for this tenant; else the installation's default.")


class AuditEventSerializer(serializers.ModelSerializer[AuditEvent]):
    """One entry of the trail."""

    class Meta:
        model = AuditEvent
        fields = [
            "id",
            "sequence",
            "at",
            "actor_kind",
            "actor_label",
            "actor_id",
            "action",
            "object_type",
            "object_id",
            "object_label",
            "before",
            "after",
            "details",
            "request_id",
            "address",
            "prev_hash",
            "hash",
        ]
