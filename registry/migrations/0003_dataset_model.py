import django.db.models.deletion
from django.db import migrations, models

from mlplatform.tenancy import rls


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0002_second_wall"),
        ("tenancy", "0003_second_wall"),
    ]

    operations = [
        migrations.AddField(
            model_name="dataset",
            name="model",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                help_text="The model whose predictions and outcomes it holds; none where it holds no model's.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="own_datasets",
                to="registry.registeredmodel",
            ),
        ),
        rls.AddPostgresConstraint(
            model_name="dataset",
            constraint=rls.SameTenant(field="model", name="registry_dataset_model_same_tenant"),
        ),
    ]
