"""The tenant wall is part of the structure: every table, constraint and manager is checked."""

import ast
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import models
from django.test.utils import isolate_apps

from mlplatform.tenancy.checks import EXEMPT, _holes, our_models
from mlplatform.tenancy.models import TenantModel
from mlplatform.tenancy.permissions import MODEL_CAPABILITIES

ROOT = Path(__file__).resolve().parents[2]
# Where crossing the tenants' wall is right, each for a reason that stands in the code.
MAY_CROSS = {
    "mlplatform/tenancy/lookups.py",  # keys and memberships, before a tenant is known
    "mlplatform/tenancy/models/base.py",  # tells that a link leads to a foreign row
    "mlplatform/tenancy/models/audit.py",  # makes the manager append-only, too
}


def test_system_checks_are_silent() -> None:
    assert [message for message in run_checks() if not message.is_silenced()] == []


def test_every_table_of_a_tenant_is_in_the_table_of_rights() -> None:
    tables = {model._meta.label_lower for model in our_models() if model._meta.label not in EXEMPT}
    assert tables == set(MODEL_CAPABILITIES)


def test_models_and_migrations_agree(db: None) -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


@isolate_apps("registry")
def test_table_without_a_tenant_is_found() -> None:
    class Loose(models.Model):
        class Meta:
            app_label = "registry"

    assert [hole.id for hole in _holes(Loose)] == ["tenancy.E001"]


@isolate_apps("registry")
def test_unscoped_manager_unstated_link_and_uniqueness_across_tenants_are_found() -> None:
    class Leaky(TenantModel):
        name = models.CharField(max_length=10, unique=True)
        code = models.CharField(max_length=10)
        objects = models.Manager()  # type: ignore[assignment]  # wrong on purpose

        class Meta:
            app_label = "registry"
            constraints = [models.UniqueConstraint(fields=["code"], name="leaky_code")]

    assert [hole.id for hole in _holes(Leaky)] == [
        "tenancy.E002",
        "tenancy.E005",
        "tenancy.E003",
        "tenancy.E004",
    ]


def crossings(path: Path) -> bool:
    """Tell whether the file sends a query across the wall; ``all_tenants.none()`` sends none."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    harmless = {
        id(node.func.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "none"
    }
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in {"all_tenants", "_base_manager"}
        and id(node) not in harmless
        for node in ast.walk(tree)
    )


@pytest.mark.parametrize("app", ["mlplatform", "registry", "training", "feedback", "monitoring"])
def test_the_wall_is_crossed_only_where_it_is_argued_for(app: str) -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / app).rglob("*.py")
        if "migrations" not in path.parts and crossings(path)
    }
    assert found <= MAY_CROSS
