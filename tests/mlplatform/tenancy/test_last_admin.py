"""A tenant keeps an admin, also when its admins part at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.errors import LastAdmin
from mlplatform.tenancy.models import Membership, Role
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.tenants import add_member, change_role, create_tenant, remove_member


@pytest.mark.django_db(transaction=True)
def test_of_two_admins_who_send_each_other_away_one_stays() -> None:
    tenant = create_tenant(slug="clinic", name="North Clinic", by=SYSTEM)
    with tenant_scope(tenant):
        members = [add_member(email=f"{name}@clinic.example", role=Role.ADMIN, by=SYSTEM) for name in "ab"]
    start = Barrier(2)

    def part(membership: Membership) -> str:
        start.wait(timeout=30)
        try:
            with tenant_scope(tenant):
                remove_member(membership=membership, by=SYSTEM)
        except LastAdmin:
            return "stays"
        finally:
            connection.close()
        return "gone"

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(part, members)) == ["gone", "stays"]
    with tenant_scope(tenant):
        assert Membership.objects.filter(role=Role.ADMIN).count() == 1


@pytest.mark.usefixtures("in_tenant")
def test_the_only_admin_cannot_become_anything_less() -> None:
    admin = add_member(email="a@clinic.example", role=Role.ADMIN, by=SYSTEM)
    add_member(email="b@clinic.example", role=Role.OPERATOR, by=SYSTEM)
    with pytest.raises(LastAdmin, match="Make another member admin first"):
        change_role(membership=admin, role=Role.VIEWER, by=SYSTEM)
    assert change_role(membership=admin, role=Role.ADMIN, by=SYSTEM).role == Role.ADMIN
    add_member(email="c@clinic.example", role=Role.ADMIN, by=SYSTEM)
    assert change_role(membership=admin, role=Role.VIEWER, by=SYSTEM).role == Role.VIEWER
