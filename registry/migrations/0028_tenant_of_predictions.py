import django.db.models.deletion
from django.db import migrations, models

import mlplatform.tenancy.scope


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0027_kept_reports"),
        ("tenancy", "0015_held_outcomes"),
    ]

    operations = [
        migrations.AlterField(
            model_name="prediction",
            name="tenant",
            field=models.ForeignKey(
                db_index=False,
                default=mlplatform.tenancy.scope.current_tenant_id,
                editable=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tenancy.tenant",
            ),
        ),
    ]
