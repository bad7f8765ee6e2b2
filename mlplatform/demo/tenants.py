"""The two tenants of the demonstration, a person who may see both, and a key for each."""

from dataclasses import dataclass

from django.utils.crypto import get_random_string

from mlplatform.errors import Conflict
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import Role, Scope, Tenant, User
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.api_keys import create_api_key
from mlplatform.tenancy.services.tenants import add_member, create_tenant

PERSON = "demo@example.com"
CLINIC, WINERY = ("clinic", "North Clinic"), ("winery", "Valley Winery")


@dataclass(frozen=True)
class Cast:
    """What the demonstration needs to play, and the sign-in to show at its end."""

    clinic_key: str
    winery_key: str
    email: str
    password: str


def set_up(by: Actor) -> Cast:
    """Create tenants, person and keys; raises Conflict where the demonstration ran here before."""
    if Tenant.objects.filter(slug__in=[CLINIC[0], WINERY[0]]).exists():
        raise Conflict(
            "The demonstration's tenants exist here already. Run `make demo`, which plays in a folder of its "
            "own, or set ML_DATA_DIR to an empty folder."
        )
    keys = []
    for slug, name in (CLINIC, WINERY):
        tenant = create_tenant(slug=slug, name=name, by=by)
        with tenant_scope(tenant):
            add_member(email=PERSON, role=Role.ADMIN, by=by, name="Demo")
            keys.append(create_api_key(name="demonstration", scopes=Scope.values, by=by).secret)
    password = get_random_string(16)
    person = User.objects.get(email=PERSON)
    person.set_password(password)
    person.save(update_fields=["password"])
    return Cast(keys[0], keys[1], PERSON, password)
