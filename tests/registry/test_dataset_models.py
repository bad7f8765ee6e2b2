"""Datasets of retrainings that were made before data knew its model are linked with it by the migration."""

from importlib import import_module

from django.apps import apps

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import Dataset
from registry.services.datasets import freeze
from tests.factories import make_model, table


def test_each_tenants_retraining_data_gets_its_own_model(tenant: Tenant, other_tenant: Tenant) -> None:
    wanted = {}
    for owner in (tenant, other_tenant):
        with tenant_scope(owner), tenant_transaction():
            model = make_model("churn")
            old = {"kind": "retraining", "model": "churn", "rows_added": 1, "base": 1}
            freeze(name="old", frame=table(), by=SYSTEM, origin=old)
            freeze(name="file", frame=table("diabetes"), by=SYSTEM, origin={"kind": "file", "model": "churn"})
            wanted[owner.pk] = {"old": model.pk, "file": None}
    import_module("registry.migrations.0004_datasets_of_models").name_the_models(apps, None)
    for owner in (tenant, other_tenant):
        with tenant_scope(owner), tenant_transaction():
            assert dict(Dataset.objects.values_list("name", "model_id")) == wanted[owner.pk]
