"""Words that people write into model cards."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry", "0016_retention")]

    operations = [
        migrations.AddField(
            model_name="registeredmodel",
            name="card_words",
            field=models.JSONField(
                default=dict, editable=False, help_text="What people wrote into the cards of its versions."
            ),
        ),
        migrations.AddField(
            model_name="modelversion",
            name="card_words",
            field=models.JSONField(
                default=dict,
                editable=False,
                help_text="What people wrote into its card in place of the model's.",
            ),
        ),
    ]
