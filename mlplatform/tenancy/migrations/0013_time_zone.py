from django.db import migrations, models

import mlplatform.tenancy.models.tenant


class Migration(migrations.Migration):
    dependencies = [
        ("tenancy", "0012_retention"),
    ]

    operations = [
        migrations.AddField(
            model_name="tenant",
            name="time_zone",
            field=models.CharField(
                blank=True,
                default="",
                help_text="In which quiet hours are meant, for example Europe/Berlin. Empty: UTC.",
                max_length=64,
                validators=[mlplatform.tenancy.models.tenant.check_time_zone],
            ),
        ),
    ]
