"""The retraining policy of one model over REST, and what it would have done."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import PlatformView, StrictSerializer, actor
from mlplatform.tenancy.permissions import Capability
from monitoring.deciding.replay import Decided
from monitoring.models import RetrainingPolicy
from monitoring.models.policy import OnSuccess
from monitoring.services.policies import FIELDS, policy_of, update_policy
from monitoring.services.previews import (
    DAYS,
    MOST_DAYS,
    Preview,
    preview_policy,
    preview_words,
    rollback_line,
)
from registry.services.models import find_model


class PolicyBody(serializers.ModelSerializer[RetrainingPolicy]):
    """A model's retraining policy."""

    model = serializers.CharField(source="model.name", read_only=True)

    class Meta:
        model = RetrainingPolicy
        fields = ["model", *FIELDS, "updated_at"]
        read_only_fields = fields


class PolicyRequest(StrictSerializer):
    """Fields of the policy; what is left out stays as it is."""

    enabled = serializers.BooleanField(required=False)
    on_drift = serializers.BooleanField(required=False)
    on_performance = serializers.BooleanField(required=False)
    performance_threshold = serializers.FloatField(
        required=False,
        allow_null=True,
        help_text="Of the primary metric. Null: ML_PERFORMANCE_THRESHOLD, where the hold-out reached it.",
    )
    performance_loss = serializers.FloatField(
        required=False, allow_null=True, min_value=0, help_text="Share of the hold-out's value. Null: off."
    )
    on_age = serializers.BooleanField(required=False)
    max_age_days = serializers.IntegerField(min_value=1, required=False)
    on_feedback = serializers.BooleanField(required=False)
    feedback_threshold = serializers.IntegerField(
        min_value=1, required=False, allow_null=True, help_text="Null: ML_RETRAINING_FEEDBACK_THRESHOLD."
    )
    on_volume = serializers.BooleanField(required=False)
    volume_rows = serializers.IntegerField(min_value=1, required=False)
    on_schedule = serializers.BooleanField(
        required=False, help_text="Treat what a schedule has trained as on_success says, too."
    )
    minimum_outcomes = serializers.IntegerField(min_value=0, required=False)
    cooldown_minutes = serializers.IntegerField(min_value=0, required=False)
    monthly_budget = serializers.IntegerField(
        min_value=1, required=False, allow_null=True, help_text="Retrainings in 30 days. Null: no limit."
    )
    quiet_from = serializers.TimeField(
        required=False, allow_null=True, help_text="In the tenant's time zone, for example 22:00. Null: none."
    )
    quiet_until = serializers.TimeField(required=False, allow_null=True)
    on_success = serializers.ChoiceField(choices=OnSuccess.choices, required=False)
    rollback_on_quality = serializers.BooleanField(required=False)
    rollback_on_latency = serializers.BooleanField(required=False)
    rollback_on_calibration = serializers.BooleanField(required=False)
    rollback_on_errors = serializers.BooleanField(required=False)
    rollback_loss = serializers.FloatField(required=False, min_value=0)
    rollback_latency_ms = serializers.FloatField(
        required=False, allow_null=True, help_text="Null: twice the 95th percentile of the version before."
    )
    rollback_gap = serializers.FloatField(required=False, min_value=0)
    rollback_error_rate = serializers.FloatField(
        required=False, min_value=0, help_text="Tolerated share of requests that the version fails to answer."
    )
    rollback_alpha = serializers.FloatField(required=False)
    rollback_minimum = serializers.IntegerField(required=False, min_value=1)
    rollback_days = serializers.IntegerField(required=False, min_value=1)


class PolicyPreviewQuery(PolicyRequest):
    """How far back, and fields of the policy to try; what is left out is as in the policy."""

    days = serializers.IntegerField(required=False, default=DAYS, min_value=1, max_value=MOST_DAYS)


class PreviewedDecisionBody(serializers.Serializer[Any]):
    """What would have been decided at ``at``, and said again until ``last``; ``code``: what held it back."""

    at = serializers.DateTimeField()
    last = serializers.DateTimeField()
    rule = serializers.CharField()
    alert = serializers.IntegerField(allow_null=True)
    retrain = serializers.BooleanField()
    code = serializers.CharField(allow_null=True)
    reason = serializers.CharField()
    inputs = serializers.DictField()


class PreviewedRollbackBody(serializers.Serializer[Any]):
    """A champion that would have been taken back, when, and what would have proven it."""

    at = serializers.DateTimeField()
    version = serializers.IntegerField()
    rule = serializers.CharField()
    reason = serializers.CharField()


class PolicyPreviewBody(serializers.Serializer[Any]):
    """What a policy would have done in [since, until]; ``really`` is how often the recorded one retrained."""

    policy = PolicyBody()
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    looks = serializers.IntegerField(help_text="How often was looked: each hour, and with each alert.")
    retrainings = serializers.IntegerField()
    really = serializers.IntegerField()
    says = serializers.CharField()
    decisions = PreviewedDecisionBody(many=True)
    rollbacks = PreviewedRollbackBody(many=True)


class PolicyView(PlatformView):
    """The retraining policy of one model."""

    capabilities = {"get": Capability.VIEW, "put": Capability.MONITOR}
    of_a_model = True

    @extend_schema(responses=PolicyBody)
    def get(self, request: Request, name: str) -> Response:
        """Return the policy."""
        return Response(PolicyBody(policy_of(find_model(name))).data)

    @extend_schema(request=PolicyRequest, responses=PolicyBody)
    def put(self, request: Request, name: str) -> Response:
        """Change the policy; fields that are left out stay as they are."""
        model = self.permitted(find_model(name))
        changes = self.validated(PolicyRequest)
        return Response(PolicyBody(update_policy(model=model, by=actor(request), **changes)).data)


class PolicyPreviewView(PlatformView):
    """What the policy of one model would have done."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(parameters=[PolicyPreviewQuery], responses=PolicyPreviewBody)
    def get(self, request: Request, name: str) -> Response:
        """Replay the policy, with the fields of the query changed, over the last days; nothing is saved."""
        asked = PolicyPreviewQuery(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        found = preview_policy(model=find_model(name), **asked.validated_data)
        return Response(PolicyPreviewBody(_told(found)).data)


def _told(preview: Preview) -> dict[str, Any]:
    replayed = preview.replayed
    return {
        "policy": preview.policy,
        "since": replayed.since,
        "until": replayed.until,
        "looks": replayed.looks,
        "retrainings": replayed.retrainings,
        "really": preview.really,
        "says": preview_words(preview),
        "decisions": [_decided(one) for one in replayed.decisions],
        "rollbacks": [rollback_line(one) for one in preview.rollbacks],
    }


def _decided(one: Decided) -> dict[str, Any]:
    return {
        "at": one.at,
        "last": one.last,
        "rule": one.call.cause.value,
        "alert": one.call.alert,
        "retrain": one.code is None,
        "code": one.code,
        "reason": one.sentence,
        "inputs": one.numbers,
    }
