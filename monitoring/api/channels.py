"""Endpoints for channels and what they sent."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from mlplatform.api.views import actor
from mlplatform.tenancy.permissions import Capability
from monitoring.api.channel_serializers import (
    ChannelBody,
    ChannelChange,
    ChannelRequest,
    DeliveryBody,
    DeliveryDetail,
)
from monitoring.api.filters import ChannelFilter, DeliveryFilter
from monitoring.models import Channel, Delivery
from monitoring.services import channels, deliveries


class ChannelViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Channel]):
    """By what way people and programs hear of alerts."""

    serializer_class = ChannelBody
    filterset_class = ChannelFilter
    capabilities = dict.fromkeys(
        ("list", "retrieve", "create", "partial_update", "destroy", "test"), Capability.ADMIN
    )
    queryset = Channel.all_tenants.none()

    def get_queryset(self) -> QuerySet[Channel]:
        """Return the tenant's channels."""
        return Channel.objects.all()

    @extend_schema(request=ChannelRequest, responses={201: ChannelBody})
    def create(self, request: Request) -> Response:
        """Write a channel down. Nothing is sent yet: see test."""
        body = ChannelRequest(data=request.data)
        body.is_valid(raise_exception=True)
        made = channels.create_channel(by=actor(request), **body.validated_data)
        return Response(ChannelBody(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ChannelChange, responses=ChannelBody)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change it; a secret that is left out stays."""
        body = ChannelChange(data=request.data)
        body.is_valid(raise_exception=True)
        changes: dict[str, Any] = body.validated_data
        changed = channels.update_channel(channel=self.get_object(), changes=changes, by=actor(request))
        return Response(ChannelBody(changed).data)

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete it with its secret and its deliveries; to rest it only, switch it off instead."""
        channels.delete_channel(channel=self.get_object(), by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses=DeliveryBody)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Send a test at once; the answer's state and last_error say how it went."""
        return Response(
            DeliveryBody(deliveries.try_channel(channel=self.get_object(), by=actor(request))).data
        )


class DeliveryViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Delivery]):
    """What channels were given to send; those with state dead were given up."""

    serializer_class = DeliveryBody
    filterset_class = DeliveryFilter
    capabilities = dict.fromkeys(("list", "retrieve", "resend"), Capability.ADMIN)
    queryset = Delivery.all_tenants.none()

    def get_queryset(self) -> QuerySet[Delivery]:
        """Return the tenant's deliveries."""
        return Delivery.objects.select_related("channel", "model")

    def get_serializer_class(self) -> type[BaseSerializer[Delivery]]:
        """Show what it tells on its own page."""
        return DeliveryDetail if self.action == "retrieve" else DeliveryBody

    @extend_schema(request=None, responses=DeliveryBody)
    @action(detail=True, methods=["post"])
    def resend(self, request: Request, pk: str) -> Response:
        """Send it once more, under the same key."""
        again = deliveries.resend(delivery=self.get_object(), by=actor(request))
        return Response(DeliveryBody(again).data)
