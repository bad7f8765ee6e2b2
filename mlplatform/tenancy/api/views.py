"""Endpoints for who asks, members and the audit trail."""

from django.core.validators import validate_ipv46_address
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.authentication import asking
from mlplatform.api.negotiation import AnyFormat
from mlplatform.api.pagination import NewestFirst
from mlplatform.api.permissions import InTenant
from mlplatform.api.views import PlatformView, actor
from mlplatform.identity.services.lockouts import unlock_account
from mlplatform.tenancy.api import serializers
from mlplatform.tenancy.downloads import as_download
from mlplatform.tenancy.models import AuditEvent, Membership
from mlplatform.tenancy.permissions import Capability, capabilities_of
from mlplatform.tenancy.scope import current_tenant
from mlplatform.tenancy.services.audit_export import MEDIA_TYPES, ExportFormat, export_trail
from mlplatform.tenancy.services.limits import limits_in_use
from mlplatform.tenancy.services.settings import change_settings
from mlplatform.tenancy.services.tenants import add_member, change_role, remove_member


class WhoAmIView(PlatformView):
    """Which tenant and which rights a key or session has."""

    capabilities = {"get": Capability.VIEW}

    def get_permissions(self) -> list[BasePermission]:
        """Any principal may ask about itself, whatever its scopes."""
        return [InTenant()]

    @extend_schema(responses=serializers.WhoAmISerializer)
    def get(self, request: Request) -> Response:
        """Return the tenant, the principal and its capabilities."""
        tenant, by = current_tenant(), actor(request)
        return Response(
            {
                "tenant": tenant.slug,
                "tenant_name": tenant.name,
                "principal": by.label,
                "kind": by.kind,
                "capabilities": sorted(capabilities_of(asking(request))),
                "models": getattr(asking(request), "model_names", []),
            }
        )


class TenantView(PlatformView):
    """The tenant that the request works for."""

    capabilities = {"get": Capability.VIEW, "patch": Capability.ADMIN}
    reauthenticate = ("patch",)

    @extend_schema(responses=serializers.TenantSerializer)
    def get(self, request: Request) -> Response:
        """Return the tenant and its settings."""
        return Response(serializers.TenantSerializer(current_tenant()).data)

    @extend_schema(request=serializers.TenantSettingsSerializer, responses=serializers.TenantSerializer)
    def patch(self, request: Request) -> Response:
        """Change the settings that are sent."""
        body = serializers.TenantSettingsSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        tenant = change_settings(changes=body.validated_data, by=actor(request))
        return Response(serializers.TenantSerializer(tenant).data)


class MemberViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Membership]):
    """Members of the tenant and their roles."""

    serializer_class = serializers.MemberSerializer
    capabilities = dict.fromkeys(
        ("list", "retrieve", "create", "partial_update", "destroy", "unlock"), Capability.ADMIN
    )
    reauthenticate = ("create", "partial_update", "destroy")
    queryset = Membership.all_tenants.none()

    def get_queryset(self) -> QuerySet[Membership]:
        """Return the tenant's members."""
        return Membership.objects.select_related("user")

    @extend_schema(request=serializers.NewMemberSerializer, responses={201: serializers.MemberSerializer})
    def create(self, request: Request) -> Response:
        """Make a person a member; an account is created where there is none."""
        body = serializers.NewMemberSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        member = add_member(by=actor(request), **body.validated_data)
        return Response(self.get_serializer(member).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=serializers.RoleSerializer, responses=serializers.MemberSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Give a member another role."""
        membership = self.get_object()
        body = serializers.RoleSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        member = change_role(membership=membership, by=actor(request), **body.validated_data)
        return Response(self.get_serializer(member).data)

    def destroy(self, request: Request, pk: str) -> Response:
        """End a membership."""
        remove_member(membership=self.get_object(), by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses=serializers.MemberSerializer)
    @action(detail=True, methods=["post"])
    def unlock(self, request: Request, pk: str) -> Response:
        """Let a member sign in again who was locked out after wrong passwords or codes."""
        membership = self.get_object()
        unlock_account(user=membership.user, by=actor(request))
        return Response(self.get_serializer(membership).data)


class LimitsView(PlatformView):
    """What the tenant may use."""

    capabilities = {"get": Capability.ADMIN}

    @extend_schema(responses=serializers.LimitSerializer(many=True), filters=False)
    def get(self, request: Request) -> Response:
        """List the tenant's limits and what is used of each."""
        return Response(serializers.LimitSerializer(limits_in_use(), many=True).data)


class AuditFilter(filters.FilterSet):
    """Filters of the trail."""

    at = filters.IsoDateTimeFromToRangeFilter()
    # PostgreSQL compares addresses with addresses alone.
    address = filters.CharFilter(validators=[validate_ipv46_address])

    class Meta:
        model = AuditEvent
        fields = ["action", "actor_kind", "actor_label", "object_type", "object_id", "request_id", "address"]


class AuditPages(NewestFirst):
    """Newest events first."""

    ordering = ("-sequence",)


class AuditEventViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[AuditEvent]):
    """The tenant's audit trail."""

    serializer_class = serializers.AuditEventSerializer
    pagination_class = AuditPages
    filterset_class = AuditFilter
    capabilities = {"list": Capability.ADMIN, "export": Capability.ADMIN}
    queryset = AuditEvent.all_tenants.none()

    def get_queryset(self) -> QuerySet[AuditEvent]:
        """Return the tenant's events."""
        return AuditEvent.objects.all()

    @extend_schema(
        parameters=[OpenApiParameter("format", enum=list(ExportFormat), default=ExportFormat.JSONL)],
        responses={(200, media_type): OpenApiTypes.STR for media_type in MEDIA_TYPES.values()},
    )
    @action(detail=False, pagination_class=None, content_negotiation_class=AnyFormat)
    def export(self, request: Request) -> StreamingHttpResponse:
        """Send the whole trail, or what the filters choose of it, in the order of the chain."""
        chosen = {name: value for name, value in request.query_params.items() if name != "format"}
        return as_download(
            export_trail(
                events=self.filter_queryset(self.get_queryset()),
                form=request.query_params.get("format", ExportFormat.JSONL),
                by=actor(request),
                chosen=chosen,
            )
        )
