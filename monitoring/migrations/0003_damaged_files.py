from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0002_second_wall"),
        ("registry", "0016_retention"),
        ("tenancy", "0012_retention"),
    ]

    operations = [
        migrations.AddField(
            model_name="alert",
            name="cause",
            field=models.CharField(
                blank=True,
                choices=[
                    ("artifact", "A version's file is damaged or gone"),
                    ("twin", "The file of a version's twin is damaged or gone"),
                ],
                help_text="What raised it where no rule did.",
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="alert",
            name="told_at",
            field=models.DateTimeField(help_text="When people were written to.", null=True),
        ),
        migrations.AddConstraint(
            model_name="alert",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("state__in", ("open", "acknowledged")), models.Q(("cause", ""), _negated=True)
                ),
                fields=("tenant", "version", "cause"),
                name="one_unresolved_alert_per_cause",
            ),
        ),
    ]
