"""Finding versions: by a search, by their tags, by a metric, by a date."""

from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import PlatformView, StrictSerializer, actor
from mlplatform.tenancy.permissions import Capability
from registry.api.filters import FoundVersionFilter
from registry.api.representations import DeploymentBody, VersionSummary
from registry.models import ModelVersion
from registry.models.deployment import CHAMPION
from registry.services.listings import versions_overview
from registry.services.models import find_model
from registry.services.past import deployment_at
from registry.services.searching import best_version, search_versions
from registry.services.tags import LONGEST_VALUE, change_tags
from registry.services.versions import find_version


class TagsChange(StrictSerializer):
    """Tags to set; null takes one off; the others stay."""

    tags = serializers.DictField(
        child=serializers.CharField(max_length=LONGEST_VALUE, allow_null=True, allow_blank=True)
    )


class TagsBody(serializers.Serializer[dict[str, object]]):
    """All tags."""

    tags = serializers.DictField(child=serializers.CharField(allow_blank=True))


class Moment(StrictSerializer):
    """A time; now where it is left out."""

    at = serializers.DateTimeField(required=False)
    alias = serializers.CharField(required=False, default=CHAMPION, max_length=50)

    def moment(self) -> datetime:
        """Return the time, in UTC."""
        given: datetime = self.validated_data.get("at") or timezone.now()
        return given


class BestOf(StrictSerializer):
    """The metric to judge by; the problem's own where it is left out."""

    metric = serializers.CharField(required=False, default="", max_length=50)


class FoundVersionsView(PlatformView, ListAPIView[ModelVersion]):
    """Versions of all models."""

    capabilities = {"get": Capability.VIEW}
    queryset = ModelVersion.all_tenants.none()
    serializer_class = VersionSummary
    filterset_class = FoundVersionFilter

    def get_queryset(self) -> QuerySet[ModelVersion]:
        """Return every version; ``q`` narrows them down."""
        return search_versions("")


class ModelTagsView(PlatformView):
    """A model's tags."""

    capabilities = {"patch": Capability.TRAIN}
    of_a_model = True

    @extend_schema(request=TagsChange, responses=TagsBody)
    def patch(self, request: Request, name: str) -> Response:
        """Set tags, or take them off."""
        model = self.permitted(find_model(name))
        changes = self.validated(TagsChange)["tags"]
        return Response({"tags": change_tags(target=model, changes=changes, by=actor(request))})


class VersionTagsView(PlatformView):
    """A version's tags."""

    capabilities = {"patch": Capability.TRAIN}
    of_a_model = True

    @extend_schema(request=TagsChange, responses=TagsBody)
    def patch(self, request: Request, name: str, number: int) -> Response:
        """Set tags, or take them off; deployed versions take tags as well."""
        version = find_version(self.permitted(find_model(name)), number)
        changes = self.validated(TagsChange)["tags"]
        return Response({"tags": change_tags(target=version, changes=changes, by=actor(request))})


class BestVersionView(PlatformView):
    """A model's best version."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(parameters=[BestOf], responses=VersionSummary)
    def get(self, request: Request, name: str) -> Response:
        """Return the ready version with the best hold-out value of the metric."""
        asked = BestOf(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        best = best_version(find_model(name), asked.validated_data["metric"])
        return Response(VersionSummary(versions_overview(best.model).get(pk=best.pk)).data)


class ChampionView(PlatformView):
    """What runs, or ran."""

    capabilities = {"get": Capability.VIEW}

    @extend_schema(
        parameters=[
            OpenApiParameter("at", datetime, description="A time; now where it is left out."),
            OpenApiParameter("alias", str, description="Another name than champion."),
        ],
        responses=DeploymentBody,
    )
    def get(self, request: Request, name: str) -> Response:
        """Return the change that had put the champion, or another alias, of that time in place."""
        asked = Moment(data=request.query_params.dict())
        asked.is_valid(raise_exception=True)
        alias = asked.validated_data["alias"]
        return Response(DeploymentBody(deployment_at(find_model(name), asked.moment(), alias)).data)
