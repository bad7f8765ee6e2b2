import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registry", "0015_locked_history")]

    operations = [
        migrations.AddField(
            model_name="registeredmodel",
            name="retention",
            field=models.JSONField(
                default=dict,
                editable=False,
                help_text="Where it differs from the tenant's: by kind, days and newest.",
            ),
        ),
        migrations.AddField(
            model_name="registeredmodel",
            name="twin_tolerance",
            field=models.FloatField(
                default=0.001,
                help_text="How far two probabilities, or numbers as a share of the largest, of a version and its "
                "twin in ONNX may be apart; every label must be the same.",
                validators=[
                    django.core.validators.MinValueValidator(0.0),
                    django.core.validators.MaxValueValidator(1.0),
                ],
                verbose_name="tolerance of twins",
            ),
        ),
    ]
