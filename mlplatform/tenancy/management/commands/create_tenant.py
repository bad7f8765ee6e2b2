"""Create a tenant, its first admin, or both."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import PlatformCommand
from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.accounts import give_first_password
from mlplatform.tenancy.services.tenants import add_member, create_tenant


class Command(PlatformCommand):
    """Creates a tenant."""

    help = "Create a tenant and, with --admin, its first member; or list the tenants with --list."
    example = "python manage.py create_tenant --tenant clinic --name Clinic --admin ann@clinic.example"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the command's options."""
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--tenant", metavar="SLUG", help="Short name: lower-case letters, digits, hyphens.")
        what.add_argument("--list", action="store_true", help="List the tenants and change nothing.")
        parser.add_argument("--name", default="", help="The name that people see.")
        parser.add_argument("--admin", metavar="EMAIL", help="First admin; a random password is shown once.")

    def run(self, **options: Any) -> Any:
        """Create the tenant and return what is to be kept."""
        if options["list"]:
            return list(Tenant.objects.values("slug", "name", "is_active", "created_at"))
        tenant = create_tenant(slug=options["tenant"], name=options["name"], by=self.actor)
        result = {"tenant": tenant.slug, "name": tenant.name}
        if options["admin"]:
            with tenant_scope(tenant):
                member = add_member(email=options["admin"], role=Role.ADMIN, by=self.actor)
                result["admin"] = member.user.email
                if not member.user.has_usable_password():
                    result["password"] = give_first_password(membership=member, by=self.actor)
        return result
