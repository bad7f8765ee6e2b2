from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("monitoring", "0007_honest_alarms")]

    operations = [
        migrations.AddField(
            model_name="driftreport",
            name="together",
            field=models.JSONField(default=dict),
        ),
    ]
