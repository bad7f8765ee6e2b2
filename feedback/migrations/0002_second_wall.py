from django.db import migrations

from mlplatform.tenancy import rls


class Migration(migrations.Migration):
    dependencies = [
        ("feedback", "0001_initial"),
        ("registry", "0002_second_wall"),
        ("tenancy", "0003_second_wall"),
    ]

    operations = [
        rls.AddPostgresConstraint(
            model_name="outcome",
            constraint=rls.RowLevelSecurity(name="feedback_outcome_tenant_rows"),
        ),
        rls.AddPostgresConstraint(
            model_name="outcome",
            constraint=rls.SameTenant(field="prediction", name="feedback_outcome_prediction_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="outcome",
            constraint=rls.SameTenant(field="model", name="feedback_outcome_model_same_tenant"),
        ),
    ]
