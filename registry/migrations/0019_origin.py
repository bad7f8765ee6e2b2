"""Where imported models and versions came from."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0018_rollouts"),
    ]

    operations = [
        migrations.AddField(
            model_name="modelversion",
            name="origin",
            field=models.JSONField(
                default=dict, editable=False, help_text="Of an imported version: from where, by whom, when."
            ),
        ),
        migrations.AddField(
            model_name="registeredmodel",
            name="origin",
            field=models.JSONField(
                default=dict, editable=False, help_text="Of an imported model: from where, by whom, when."
            ),
        ),
    ]
