"""Endpoints for alerts and their rules."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import actor
from mlplatform.tenancy.permissions import Capability
from monitoring.api.filters import AlertFilter, RuleFilter
from monitoring.api.serializers import (
    AlertBody,
    OwnerRequest,
    ResolveRequest,
    RuleBody,
    RuleChange,
    RuleRequest,
    SnoozeRequest,
)
from monitoring.models import Alert, AlertRule
from monitoring.services import alert_care, alerts, rules
from registry.services.models import find_model


class AlertViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Alert]):
    """What people should look at."""

    serializer_class = AlertBody
    filterset_class = AlertFilter
    capabilities = {
        "list": Capability.VIEW,
        "retrieve": Capability.VIEW,
        "acknowledge": Capability.MONITOR,
        "resolve": Capability.MONITOR,
        "snooze": Capability.MONITOR,
        "wake": Capability.MONITOR,
        "assign": Capability.MONITOR,
    }
    of_a_model = True
    queryset = Alert.all_tenants.none()

    def get_queryset(self) -> QuerySet[Alert]:
        """Return the tenant's alerts."""
        return Alert.objects.select_related("model", "version", "owner__user").defer(
            "version__reference", "version__features"
        )

    @extend_schema(request=None, responses=AlertBody)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        """Say that you look after it."""
        return Response(AlertBody(alerts.acknowledge(alert=self.get_object(), by=actor(request))).data)

    @extend_schema(request=ResolveRequest, responses=AlertBody)
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, pk: str) -> Response:
        """Close it; its rule then stays silent for its cooldown."""
        body = ResolveRequest(data=request.data)
        body.is_valid(raise_exception=True)
        resolved = alerts.resolve(alert=self.get_object(), by=actor(request), **body.validated_data)
        return Response(AlertBody(resolved).data)

    @extend_schema(request=SnoozeRequest, responses=AlertBody)
    @action(detail=True, methods=["post"])
    def snooze(self, request: Request, pk: str) -> Response:
        """Tell nobody of it until then; it is still resolved by itself."""
        alert, asked = self.get_object(), SnoozeRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        asleep = alert_care.snooze(alert=alert, by=actor(request), **asked.validated_data)
        return Response(AlertBody(asleep).data)

    @extend_schema(request=None, responses=AlertBody)
    @action(detail=True, methods=["post"])
    def wake(self, request: Request, pk: str) -> Response:
        """End its sleep now."""
        return Response(AlertBody(alert_care.wake(alert=self.get_object(), by=actor(request))).data)

    @extend_schema(request=OwnerRequest, responses=AlertBody)
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, pk: str) -> Response:
        """Say who looks after it: a member, by address; an empty one for nobody."""
        alert, asked = self.get_object(), OwnerRequest(data=request.data)
        asked.is_valid(raise_exception=True)
        owner = alert_care.find_owner(asked.validated_data["owner"])
        return Response(AlertBody(alert_care.assign(alert=alert, owner=owner, by=actor(request))).data)


class AlertRuleViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[AlertRule]):
    """When people must be told. A model without any rule gets the default ones at its next check."""

    serializer_class = RuleBody
    filterset_class = RuleFilter
    capabilities = {
        "list": Capability.VIEW,
        "retrieve": Capability.VIEW,
        "create": Capability.MONITOR,
        "partial_update": Capability.MONITOR,
        "destroy": Capability.MONITOR,
    }
    of_a_model = True
    queryset = AlertRule.all_tenants.none()

    def get_queryset(self) -> QuerySet[AlertRule]:
        """Return the tenant's rules."""
        return AlertRule.objects.select_related("model")

    @extend_schema(request=RuleRequest, responses={201: RuleBody})
    def create(self, request: Request) -> Response:
        """Make a rule."""
        body = RuleRequest(data=request.data)
        body.is_valid(raise_exception=True)
        fields = dict(body.validated_data)
        model = find_model(fields.pop("model"))
        self.check_object_permissions(request, model)
        rule = rules.create_rule(model=model, by=actor(request), **fields)
        return Response(RuleBody(rule).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=RuleChange, responses=RuleBody)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a rule."""
        body = RuleChange(data=request.data)
        body.is_valid(raise_exception=True)
        rule = rules.update_rule(rule=self.get_object(), by=actor(request), **body.validated_data)
        return Response(RuleBody(rule).data)

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a rule; to silence it only for a while, switch it off instead."""
        rules.delete_rule(rule=self.get_object(), by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
