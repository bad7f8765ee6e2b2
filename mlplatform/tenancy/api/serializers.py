"""Shapes of members, keys and audit events."""

from typing import Any

from rest_framework import serializers

from mlplatform.api.views import StrictSerializer
from mlplatform.tenancy.models import ApiKey, AuditEvent, Membership, Role, Scope


class WhoAmISerializer(serializers.Serializer[Any]):
    """Who asks, for which tenant, and what is allowed."""

    tenant = serializers.CharField()
    tenant_name = serializers.CharField()
    principal = serializers.CharField()
    kind = serializers.ChoiceField(choices=["user", "api_key"])
    capabilities = serializers.ListField(child=serializers.CharField())


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

    class Meta:
        model = ApiKey
        fields = [
            "id",
            "name",
            "prefix",
            "scopes",
            "created_at",
            "created_by",
            "expires_at",
            "last_used_at",
            "revoked_at",
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
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


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
