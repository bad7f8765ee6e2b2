"""How long things are kept, over REST."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import PlatformView, StrictSerializer, actor
from mlplatform.tenancy.permissions import Capability
from registry.models import RegisteredModel
from registry.services.models import find_model
from registry.services.retention import Part, apply_retention, survey_retention
from registry.services.retention_kinds import KINDS
from registry.services.retention_rules import change_retention, own_rules, rules_of


class RetentionRuleBody(serializers.Serializer[Any]):
    """How long one kind of things is kept."""

    kind = serializers.CharField()
    title = serializers.CharField()
    purpose = serializers.CharField()
    days = serializers.IntegerField(allow_null=True, help_text="Null: for ever.")
    newest = serializers.IntegerField(allow_null=True, help_text="So many of each model stay in any case.")
    own = serializers.BooleanField(help_text="Chosen here; else the wider rule holds.")
    of_models = serializers.BooleanField(help_text="A model may have a rule of its own.")


class RetentionBody(serializers.Serializer[Any]):
    """Every rule in force."""

    model = serializers.CharField(allow_null=True, help_text="Null: the tenant's rules.")
    rules = RetentionRuleBody(many=True)


class RetentionRequest(StrictSerializer):
    """Rules to choose; kinds that are not named stay."""

    rules = serializers.DictField(
        allow_empty=False,
        help_text="By kind: `days` (null for ever) and `newest`; null follows the wider rule again.",
    )

    def validate_rules(self, rules: dict[str, Any]) -> dict[str, Any]:
        """Refuse what is no rule at all; what is in it the service checks."""
        wrong = [name for name, rule in rules.items() if rule is not None and not isinstance(rule, dict)]
        if wrong:
            raise serializers.ValidationError(
                {wrong[0][:60]: ["Send an object with days and newest, or null."]}
            )
        return rules


class RetentionItemBody(serializers.Serializer[Any]):
    """One thing."""

    key = serializers.IntegerField(allow_null=True)
    name = serializers.CharField()
    bytes = serializers.IntegerField()
    why = serializers.CharField(help_text="Why it stays; empty where it would go.")


class RetentionPartBody(serializers.Serializer[Any]):
    """What would go of one kind, in one model or in the tenant, and what stays although it is old."""

    kind = serializers.CharField(source="kind.name")
    model = serializers.CharField(source="model.name", allow_null=True, default=None)
    days = serializers.IntegerField(source="rule.days", allow_null=True)
    newest = serializers.IntegerField(source="rule.newest", allow_null=True)
    going = serializers.IntegerField(source="survey.going", help_text="How many would go.")
    bytes = serializers.IntegerField(source="survey.bytes")
    items = RetentionItemBody(source="survey.items", many=True, help_text="The first of them.")
    kept = RetentionItemBody(source="survey.kept", many=True, help_text="The first of those that stay.")


class RetentionPreviewBody(serializers.Serializer[Any]):
    """What a run would remove now."""

    parts = RetentionPartBody(many=True)


class RetentionGoneBody(serializers.Serializer[Any]):
    """What went of one kind."""

    kind = serializers.CharField()
    count = serializers.IntegerField()
    bytes = serializers.IntegerField()


class RetentionRunBody(serializers.Serializer[Any]):
    """What a run removed."""

    removed = RetentionGoneBody(many=True)


class RetentionView(PlatformView):
    """The tenant's rules."""

    capabilities = {"get": Capability.VIEW, "put": Capability.ADMIN}
    reauthenticate = frozenset({"put"})

    @extend_schema(responses=RetentionBody)
    def get(self, request: Request) -> Response:
        """Show how long each kind of things is kept."""
        return Response(rules_body(None))

    @extend_schema(request=RetentionRequest, responses=RetentionBody)
    def put(self, request: Request) -> Response:
        """Choose how long; the next run removes what is kept no longer."""
        change_retention(changes=self.validated(RetentionRequest)["rules"], by=actor(request))
        return Response(rules_body(None))


class ModelRetentionView(PlatformView):
    """A model's rules, where they differ from the tenant's."""

    capabilities = {"get": Capability.VIEW, "put": Capability.ADMIN}
    of_a_model = True
    reauthenticate = frozenset({"put"})

    @extend_schema(responses=RetentionBody)
    def get(self, request: Request, name: str) -> Response:
        """Show how long this model's things are kept."""
        return Response(rules_body(find_model(name)))

    @extend_schema(request=RetentionRequest, responses=RetentionBody)
    def put(self, request: Request, name: str) -> Response:
        """Choose how long; null follows the tenant's rule again."""
        model = self.permitted(find_model(name))
        change_retention(changes=self.validated(RetentionRequest)["rules"], by=actor(request), model=model)
        return Response(rules_body(model))


class RetentionPreviewView(PlatformView):
    """A dry run."""

    capabilities = {"get": Capability.ADMIN}

    @extend_schema(responses=RetentionPreviewBody)
    def get(self, request: Request) -> Response:
        """Show what would go now, and why the rest stays; nothing is removed."""
        parts: list[Part] = survey_retention(now=timezone.now())
        return Response(RetentionPreviewBody({"parts": parts}).data)


class RetentionRunView(PlatformView):
    """A run ahead of time."""

    capabilities = {"post": Capability.ADMIN}
    reauthenticate = frozenset({"post"})

    @extend_schema(request=None, responses=RetentionRunBody)
    def post(self, request: Request) -> Response:
        """Remove now what the next run would; this cannot be taken back."""
        done = apply_retention(now=timezone.now(), by=actor(request))
        removed = [{"kind": name, "count": one.count, "bytes": one.bytes} for name, one in done.gone.items()]
        return Response(RetentionRunBody({"removed": removed}).data)


def rules_body(model: RegisteredModel | None) -> dict[str, Any]:
    """Return the rules in force, of the tenant or of one model."""
    own = own_rules(model)
    rules = []
    for name, rule in rules_of(model).items():
        kind = KINDS.named(name)
        if kind is not None:
            words = {"kind": name, "title": kind.title, "purpose": kind.purpose, "of_models": kind.of_models}
            rules.append({**words, "days": rule.days, "newest": rule.newest, "own": name in own})
    return dict(RetentionBody({"model": model and model.name, "rules": rules}).data)
