from typing import Any

from django.db import migrations

from mlplatform.tenancy.scope import tenant_scope


def name_the_models(apps: Any, schema_editor: Any) -> None:
    """Link the datasets of earlier retrainings with the model whose feedback they hold."""
    tenants, datasets = apps.get_model("tenancy", "Tenant"), apps.get_model("registry", "Dataset")
    models = apps.get_model("registry", "RegisteredModel")
    for tenant in tenants.objects.all():
        with tenant_scope(tenant):
            for dataset in datasets.objects.filter(tenant=tenant, origin__kind="retraining"):
                dataset.model = models.objects.filter(tenant=tenant, name=dataset.origin["model"]).first()
                dataset.save(update_fields=["model"])


class Migration(migrations.Migration):
    dependencies = [("registry", "0003_dataset_model")]

    operations = [migrations.RunPython(name_the_models, migrations.RunPython.noop)]
