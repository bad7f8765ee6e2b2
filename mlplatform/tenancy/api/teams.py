"""Endpoints for teams."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from mlplatform.api.views import StrictSerializer, actor
from mlplatform.tenancy.models import Membership, Team
from mlplatform.tenancy.permissions import Capability
from mlplatform.tenancy.services.teams import create_team, delete_team, members_with, update_team

MOST_MEMBERS = 10_000


class TeamBody(serializers.ModelSerializer[Team]):
    """A team as shown; its members by their addresses."""

    members = serializers.SlugRelatedField[Membership](many=True, read_only=True, slug_field="email")

    class Meta:
        model = Team
        fields = ["id", "name", "members", "created_at"]


class TeamChange(StrictSerializer):
    """Another name, or other members; what is left out stays."""

    name = serializers.CharField(max_length=100, required=False)
    members = serializers.ListField(
        child=serializers.EmailField(),
        required=False,
        max_length=MOST_MEMBERS,
        help_text="Whom the team consists of from now on, by e-mail address; each is a member already.",
    )

    def validate_members(self, emails: list[str]) -> list[Membership]:
        """Return the members of these addresses; raises InvalidInput."""
        return members_with(emails)


class TeamRequest(TeamChange):
    """A new team."""

    name = serializers.CharField(max_length=100)


class TeamViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Team]):
    """Teams of the tenant."""

    serializer_class = TeamBody
    capabilities = dict.fromkeys(
        ("list", "retrieve", "create", "partial_update", "destroy"), Capability.ADMIN
    )
    reauthenticate = ("partial_update", "destroy")
    queryset = Team.all_tenants.none()

    def get_queryset(self) -> QuerySet[Team]:
        """Return the tenant's teams."""
        return Team.objects.prefetch_related("members__user")

    @extend_schema(request=TeamRequest, responses={201: TeamBody})
    def create(self, request: Request) -> Response:
        """Make a team."""
        body = TeamRequest(data=request.data)
        body.is_valid(raise_exception=True)
        team = create_team(by=actor(request), **body.validated_data)
        return Response(self.get_serializer(team).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=TeamChange, responses=TeamBody)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Rename the team, or change whom it consists of."""
        team = self.get_object()
        body = TeamChange(data=request.data)
        body.is_valid(raise_exception=True)
        update_team(team=team, by=actor(request), **body.validated_data)
        return Response(self.get_serializer(self.get_object()).data)

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete the team and the rights that it gave."""
        delete_team(team=self.get_object(), by=actor(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
