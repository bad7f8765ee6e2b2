from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0011_personal_groups")]

    operations = [
        migrations.AddField(
            model_name="tenant",
            name="retention",
            field=models.JSONField(
                default=dict,
                editable=False,
                help_text="Where it differs from the installation's: by kind, its rule.",
            ),
        ),
    ]
