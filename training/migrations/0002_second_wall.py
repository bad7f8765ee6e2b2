from django.db import migrations

from mlplatform.tenancy import rls


class Migration(migrations.Migration):
    dependencies = [
        ("django_celery_beat", "0019_alter_periodictasks_options"),
        ("registry", "0002_second_wall"),
        ("tenancy", "0003_second_wall"),
        ("training", "0001_initial"),
    ]

    operations = [
        rls.AddPostgresConstraint(
            model_name="joblogline",
            constraint=rls.RowLevelSecurity(name="training_joblogline_tenant_rows"),
        ),
        rls.AddPostgresConstraint(
            model_name="joblogline",
            constraint=rls.SameTenant(field="job", name="training_joblogline_job_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="retrainingschedule",
            constraint=rls.RowLevelSecurity(name="training_retrainingschedule_tenant_rows"),
        ),
        rls.AddPostgresConstraint(
            model_name="retrainingschedule",
            constraint=rls.SameTenant(field="model", name="training_retrainingschedule_model_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="trainingjob",
            constraint=rls.RowLevelSecurity(name="training_trainingjob_tenant_rows"),
        ),
        rls.AddPostgresConstraint(
            model_name="trainingjob",
            constraint=rls.TenantKey(name="training_trainingjob_tenant_key"),
        ),
        rls.AddPostgresConstraint(
            model_name="trainingjob",
            constraint=rls.SameTenant(field="model", name="training_trainingjob_model_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="trainingjob",
            constraint=rls.SameTenant(field="dataset", name="training_trainingjob_dataset_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="trainingjob",
            constraint=rls.SameTenant(field="version", name="training_trainingjob_version_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="trial",
            constraint=rls.RowLevelSecurity(name="training_trial_tenant_rows"),
        ),
        rls.AddPostgresConstraint(
            model_name="trial",
            constraint=rls.SameTenant(field="job", name="training_trial_job_same_tenant"),
        ),
    ]
