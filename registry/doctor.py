"""What ``manage.py doctor`` looks at in the registry."""

from django.db import DatabaseError

from mlplatform.doctor.findings import Finding, fine, wrong
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.services.orphans import missing_files

CHECK = "Files that rows name"
SHOWN = 3


def named_files() -> Finding:
    """Look whether every file that a row of any tenant names lies in the storage."""
    missing: list[str] = []
    try:
        for tenant in Tenant.objects.order_by("pk"):
            with tenant_scope(tenant):
                missing += [f"{tenant.slug}: {one}" for one in missing_files()]
    except DatabaseError as error:
        return wrong(CHECK, f"unknown: {error}".strip(), "Mend the database first.")
    except OSError as error:
        return wrong(CHECK, f"unknown: {error}", "Make the storage reachable for this account.")
    if missing:
        seen = f"{len(missing)} are gone, for example {'; '.join(missing[:SHOWN])}"
        return wrong(
            CHECK, seen, "Restore them from a back-up. Versions can be rebuilt: manage.py reproduce."
        )
    return fine(CHECK, "all are there")
