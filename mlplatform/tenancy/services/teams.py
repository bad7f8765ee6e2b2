"""Teams: members who are given rights together."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from django.db import IntegrityError

from mlplatform.errors import InvalidInput
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.errors import TeamExists, TeamNotFound
from mlplatform.tenancy.models import Membership, Team, TeamMember
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record


def find_team(name: str) -> Team:
    """Return the tenant's team of this name; raises TeamNotFound."""
    team = Team.objects.filter(name=name).first()
    if team is None:
        raise TeamNotFound(f"There is no team {name[:100]!r}. List them at /api/v1/teams.")
    return team


def members_with(emails: Sequence[str], field: str = "members") -> list[Membership]:
    """Return the tenant's members with these addresses; raises InvalidInput that names the others."""
    wanted = {email.lower() for email in emails}
    members = list(Membership.objects.select_related("user").filter(user__email__in=wanted))
    if unknown := sorted(wanted - {member.user.email for member in members}):
        detail = f"These are no members: {', '.join(unknown)[:500]}. Add them to the tenant first."
        raise InvalidInput(detail, fields={field: [detail]})
    return members


def create_team(*, name: str, members: Collection[Membership] = (), by: Actor) -> Team:
    """Create a team of the active tenant; raises TeamExists, or InvalidInput for an empty name."""
    team = Team(name=_checked(name))
    with _named_once(team.name), tenant_transaction():
        team.save(force_insert=True)
        _set_members(team, members)
        record(by=by, action="team.created", target=team, after=_as_recorded(team))
    return team


def update_team(
    *, team: Team, by: Actor, name: str | None = None, members: Collection[Membership] | None = None
) -> Team:
    """Rename the team, or have it consist of these members; None leaves as it is.

    Raises TeamExists, or InvalidInput for an empty name.
    """
    with _named_once(name or ""), tenant_transaction():
        before = _as_recorded(team)
        if name is not None:
            team.name = _checked(name)
            team.save(update_fields=["name"])
        if members is not None:
            _set_members(team, members)
        record(by=by, action="team.updated", target=team, before=before, after=_as_recorded(team))
    return team


def delete_team(*, team: Team, by: Actor) -> None:
    """Delete the team and the rights that it gave; its members stay members of the tenant."""
    with tenant_transaction():
        rights = [str(grant) for grant in team.grants.select_related("model", "team")]
        record(by=by, action="team.deleted", target=team, before={**_as_recorded(team), "rights": rights})
        team.delete()


@contextmanager
def _named_once(name: str) -> Iterator[None]:
    """Turn the database's refusal of a taken name into TeamExists."""
    try:
        yield
    except IntegrityError as error:
        raise TeamExists(f"A team {name!r} exists already. Choose another name.") from error


def _checked(name: str) -> str:
    if not name.strip():
        raise InvalidInput("Give the team a name.", fields={"name": ["Missing."]})
    return name.strip()


def _set_members(team: Team, members: Collection[Membership]) -> None:
    TeamMember.objects.filter(team=team).exclude(membership__in=members).delete()
    present = set(TeamMember.objects.filter(team=team).values_list("membership_id", flat=True))
    added = [TeamMember(team=team, membership=one) for one in members if one.pk not in present]
    TeamMember.objects.bulk_create(added, ignore_conflicts=True)


def _as_recorded(team: Team) -> dict[str, object]:
    emails = team.members.order_by("user__email").values_list("user__email", flat=True)
    return {"name": team.name, "members": list(emails)}
