"""Groups of members, and what members and teams may do on one model."""

from typing import Any

from django.db import models

from mlplatform.tenancy.models.base import TenantModel
from mlplatform.tenancy.models.membership import Membership, Role

NO_ACCESS = "none"
# What can be granted on one model: nothing at all, or a role below admin, which is the whole tenant's.
GRANTABLE: list[tuple[str, Any]] = [
    (NO_ACCESS, "No access: the model does not exist for them"),
    *((role.value, role.label) for role in Role if role != Role.ADMIN),
]


class Team(TenantModel):
    """Members who are given rights together."""

    model_link = None

    name = models.CharField(max_length=100, help_text="For example 'Radiology'.")
    members = models.ManyToManyField(Membership, through="TeamMember", related_name="teams")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name"],
                name="team_name_once",
                violation_error_message="A team of this name exists already.",
            )
        ]

    def __str__(self) -> str:
        return self.name


class TeamMember(TenantModel):
    """That a member belongs to a team."""

    model_link = None

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+")
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "team", "membership"], name="once_in_a_team")
        ]

    def __str__(self) -> str:
        return f"{self.membership} in {self.team}"


class Grant(TenantModel):
    """The role of one member or one team on one model, in place of the role in the tenant."""

    model_link = "model"

    # By name: the registry lies above this app, which knows of models only that rights hang on them.
    model = models.ForeignKey("registry.RegisteredModel", on_delete=models.CASCADE, related_name="grants")
    membership = models.ForeignKey(Membership, null=True, on_delete=models.CASCADE, related_name="grants")
    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="grants")
    role = models.CharField(max_length=20, choices=GRANTABLE)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=200, editable=False)

    class Meta:
        verbose_name = "model right"
        ordering = ["model__name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(membership=None) ^ models.Q(team=None), name="grant_to_member_or_team"
            ),
            models.UniqueConstraint(fields=["tenant", "model", "membership"], name="one_grant_per_member"),
            models.UniqueConstraint(fields=["tenant", "model", "team"], name="one_grant_per_team"),
        ]

    def __str__(self) -> str:
        return f"{self.holder} on {self.model}: {self.role}"

    @classmethod
    def models_of_tenant(cls) -> models.QuerySet[Any]:
        """Return the registered models of the active tenant that are in sight."""
        table: Any = cls._meta.get_field("model").related_model
        found: models.QuerySet[Any] = table.objects.all()
        return found

    @property
    def holder(self) -> Membership | Team:
        """The member or the team."""
        found = self.membership or self.team
        assert found is not None  # the constraint says so  # noqa: S101
        return found
