"""Tenants that leave and arrive, for tests."""

import io
import json
import zipfile
from typing import Any

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.services.tenant_export import Exported, export_tenant
from registry.services.tenant_import import import_tenant


def exported(tenant: Tenant) -> tuple[io.BytesIO, Exported]:
    target = io.BytesIO()
    with tenant_scope(tenant):
        done = export_tenant(target=target, by=SYSTEM)
    target.seek(0)
    return target, done


def arrive(archive: io.BytesIO, slug: str = "moved") -> Tenant:
    archive.seek(0)
    import_tenant(source=archive, by=SYSTEM, slug=slug)
    return Tenant.objects.get(slug=slug)


def content(archive: io.BytesIO) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as file:
        return {name: file.read(name) for name in file.namelist()}


def table(archive: io.BytesIO, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content(archive)[f"tables/{name}.jsonl"].splitlines()]
