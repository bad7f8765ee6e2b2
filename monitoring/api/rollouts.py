"""Rollouts over REST, below their model."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.authentication import asking
from mlplatform.api.views import PlatformView, StrictSerializer, actor
from mlplatform.tenancy.permissions import Capability, demand
from monitoring.services.rollouts import tend
from monitoring.statistics.weighing import Decision
from registry.models import Rollout
from registry.models.rollout import RolloutKind, WhenGood
from registry.services import rollouts
from registry.services.models import find_model
from registry.services.rollout_plans import Planned
from registry.services.versions import find_version


class StepBody(serializers.Serializer[Any]):
    """From when on the challenger has which share of the cases."""

    at = serializers.DateTimeField()
    share = serializers.FloatField()


class RolloutSideBody(serializers.Serializer[Any]):
    """One version's cases with a known outcome, and their mean error."""

    cases = serializers.IntegerField()
    error = serializers.FloatField(allow_null=True)


class RolloutVerdictBody(serializers.Serializer[Any]):
    """What the outcomes say; ``difference`` is challenger minus champion, between ``low`` and ``high``."""

    decision = serializers.ChoiceField(choices=list(Decision))
    sentence = serializers.CharField()
    challenger = RolloutSideBody()
    champion = RolloutSideBody()
    difference = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    worst = serializers.FloatField(allow_null=True, help_text="The challenger's largest single error.")
    path: Any = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField()),
        help_text="The bounds as they grew: cases, difference, low, high.",
    )


class RolloutBody(serializers.ModelSerializer[Rollout]):
    """A rollout, how it is judged, and what came of it."""

    model = serializers.CharField(source="model.name", read_only=True)
    champion = serializers.IntegerField(source="champion.number", read_only=True)
    challenger = serializers.IntegerField(source="challenger.number", read_only=True)
    steps = StepBody(many=True, read_only=True)
    verdict = serializers.SerializerMethodField()
    started_by = serializers.CharField(read_only=True)

    class Meta:
        model = Rollout
        fields = [
            "id",
            "model",
            "kind",
            "state",
            "champion",
            "challenger",
            "steps",
            "when_good",
            "margin",
            "alpha",
            "minimum",
            "largest_error",
            "critical_error",
            "reason",
            "verdict",
            "weighed_at",
            "started_by",
            "created_at",
            "ends_at",
            "paused_at",
            "ended_at",
            "ended_by",
            "outcome",
            "deployment",
        ]
        read_only_fields = fields

    @extend_schema_field(RolloutVerdictBody(allow_null=True))
    def get_verdict(self, rollout: Rollout) -> dict[str, Any] | None:
        """Return the newest weighing; None before the first."""
        return rollout.verdict or None


class StepRequest(StrictSerializer):
    """A share, and after how many hours it begins."""

    share = serializers.FloatField(min_value=0, max_value=1)
    after_hours = serializers.FloatField(min_value=0, required=False, default=0.0)


class RolloutRequest(StrictSerializer):
    """Which version, for how many of the cases, and by what it is judged; what is left out is as usual."""

    challenger = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    kind = serializers.ChoiceField(choices=RolloutKind.choices, required=False, default=RolloutKind.CANARY)
    plan = StepRequest(
        many=True,
        required=False,
        help_text="A canary begins with 0.05, has 0.25 after 24 hours and 0.5 after 48; an A/B test has 0.5.",
    )
    when_good = serializers.ChoiceField(
        choices=WhenGood.choices, required=False, default=WhenGood.PROMOTE, help_text="What follows then."
    )
    margin = serializers.FloatField(
        required=False, help_text="By how much it may be worse: of wrong labels, or in the target's unit."
    )
    alpha = serializers.FloatField(required=False, help_text="How often a wrong verdict is accepted (0.05).")
    minimum = serializers.IntegerField(
        required=False, help_text="Cases of either with an outcome, before it can be found good (100)."
    )
    largest_error = serializers.FloatField(
        required=False, help_text="Of numbers: errors beyond count as this one."
    )
    critical_error = serializers.FloatField(
        required=False, help_text="A single error of the challenger so large stops it at once."
    )
    days = serializers.FloatField(required=False, help_text="Undecided for so long, it ends (30).")
    reason = serializers.CharField(max_length=500, allow_blank=True, required=False, default="")


class RampRequest(StrictSerializer):
    """The plan from now on."""

    plan = StepRequest(many=True)
    reason = serializers.CharField(max_length=500, allow_blank=True, required=False, default="")


class RolloutReason(StrictSerializer):
    """Why."""

    reason = serializers.CharField(max_length=500, allow_blank=True, required=False, default="")


class RolloutPromotion(RolloutReason):
    """Why, and whether failed gates are passed over."""

    override = serializers.BooleanField(required=False, default=False, help_text="Pass over failed gates.")


class RolloutsView(PlatformView, ListAPIView[Rollout]):
    """A model's rollouts."""

    capabilities = {"get": Capability.VIEW, "post": Capability.DEPLOY}
    of_a_model = True
    queryset = Rollout.all_tenants.none()
    serializer_class = RolloutBody

    def get_queryset(self) -> QuerySet[Rollout]:
        """Return the rollouts of the model in the path, newest first."""
        return rollouts.rollouts_overview().filter(model=find_model(self.kwargs["name"]))

    @extend_schema(request=RolloutRequest, responses={201: RolloutBody})
    def post(self, request: Request, name: str) -> Response:
        """Let a version answer a share of the champion's cases until it is known which is better."""
        model = self.permitted(find_model(name))
        asked = self.validated(RolloutRequest)
        plan = asked.pop("plan", None)
        made = rollouts.start_rollout(
            model=model,
            challenger=find_version(model, asked.pop("challenger")),
            plan=None if plan is None else planned(plan),
            by=actor(request),
            **asked,
        )
        return Response(RolloutBody(made).data, status=status.HTTP_201_CREATED)


class _OneRollout(PlatformView):
    of_a_model = True

    def found(self, name: str, pk: int) -> Rollout:
        """Return the rollout where it may be touched."""
        return rollouts.find_rollout(self.permitted(find_model(name)), pk)

    def shown(self, rollout: Rollout) -> Response:
        """Answer with the rollout as it is now."""
        return Response(RolloutBody(rollouts.find_rollout(rollout.model, rollout.pk)).data)


class RolloutView(_OneRollout):
    """One rollout."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(responses=RolloutBody)
    def get(self, request: Request, name: str, pk: int) -> Response:
        """Show it with the newest verdict."""
        return self.shown(self.found(name, pk))


class RampView(_OneRollout):
    """The plan of a rollout."""

    capabilities = {"post": Capability.DEPLOY}

    @extend_schema(request=RampRequest, responses=RolloutBody)
    def post(self, request: Request, name: str, pk: int) -> Response:
        """Put another plan in the place of the steps to come."""
        rollout, asked = self.found(name, pk), self.validated(RampRequest)
        rollouts.ramp(rollout=rollout, plan=planned(asked["plan"]), reason=asked["reason"], by=actor(request))
        return self.shown(rollout)


class PauseView(_OneRollout):
    """A pause of a rollout."""

    capabilities = {"post": Capability.DEPLOY}

    @extend_schema(request=RolloutReason, responses=RolloutBody)
    def post(self, request: Request, name: str, pk: int) -> Response:
        """Give every case to the champion for now."""
        rollout = self.found(name, pk)
        rollouts.pause(rollout=rollout, by=actor(request), **self.validated(RolloutReason))
        return self.shown(rollout)


class ResumeView(_OneRollout):
    """The end of a pause."""

    capabilities = {"post": Capability.DEPLOY}

    @extend_schema(request=RolloutReason, responses=RolloutBody)
    def post(self, request: Request, name: str, pk: int) -> Response:
        """Go on where it was paused."""
        rollout = self.found(name, pk)
        rollouts.resume(rollout=rollout, by=actor(request), **self.validated(RolloutReason))
        return self.shown(rollout)


class StopView(_OneRollout):
    """The end of a rollout by hand."""

    capabilities = {"post": Capability.DEPLOY}

    @extend_schema(request=RolloutReason, responses=RolloutBody)
    def post(self, request: Request, name: str, pk: int) -> Response:
        """Have the champion answer every case again, for good."""
        rollout = self.found(name, pk)
        rollouts.stop(rollout=rollout, by=actor(request), **self.validated(RolloutReason))
        return self.shown(rollout)


class PromoteChallengerView(_OneRollout):
    """Promotion of a rollout's challenger."""

    capabilities = {"post": Capability.DEPLOY}
    reauthenticate = ("post",)

    @extend_schema(request=RolloutPromotion, responses=RolloutBody)
    def post(self, request: Request, name: str, pk: int) -> Response:
        """Make the challenger the champion now, through its gates."""
        rollout, asked = self.found(name, pk), self.validated(RolloutPromotion)
        if asked["override"]:
            demand(asking(request), Capability.APPROVE, "Only approvers pass over failed gates.", rollout)
        rollouts.promote_challenger(rollout=rollout, by=actor(request), **asked)
        return self.shown(rollout)


class WeighView(_OneRollout):
    """The verdict on a rollout."""

    capabilities = {"post": Capability.MONITOR}

    @extend_schema(request=None, responses=RolloutBody)
    def post(self, request: Request, name: str, pk: int) -> Response:
        """Weigh the outcomes now, and do what follows, as happens by itself with every outcome."""
        return self.shown(tend(rollout=self.found(name, pk), by=actor(request)))


def planned(steps: Sequence[dict[str, Any]]) -> list[Planned]:
    """Return a plan as services take it."""
    return [Planned(one["share"], one["after_hours"]) for one in steps]
