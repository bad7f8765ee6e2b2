from django.db import migrations

from mlplatform.tenancy import rls


class Migration(migrations.Migration):
    dependencies = [
        ("monitoring", "0001_initial"),
        ("registry", "0002_second_wall"),
        ("tenancy", "0003_second_wall"),
        ("training", "0002_second_wall"),
    ]

    operations = [
        rls.AddPostgresConstraint(
            model_name="alert",
            constraint=rls.RowLevelSecurity(name="monitoring_alert_tenant_rows"),
        ),
        rls.AddPostgresConstraint(
            model_name="alert",
            constraint=rls.TenantKey(name="monitoring_alert_tenant_key"),
        ),
        rls.AddPostgresConstraint(
            model_name="alert",
            constraint=rls.SameTenant(field="model", name="monitoring_alert_model_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="alert",
            constraint=rls.SameTenant(field="version", name="monitoring_alert_version_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="alert",
            constraint=rls.SameTenant(field="rule", name="monitoring_alert_rule_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="alertrule",
            constraint=rls.RowLevelSecurity(name="monitoring_alertrule_tenant_rows"),
        ),
        rls.AddPostgresConstraint(
            model_name="alertrule",
            constraint=rls.TenantKey(name="monitoring_alertrule_tenant_key"),
        ),
        rls.AddPostgresConstraint(
            model_name="alertrule",
            constraint=rls.SameTenant(field="model", name="monitoring_alertrule_model_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="driftreport",
            constraint=rls.RowLevelSecurity(name="monitoring_driftreport_tenant_rows"),
        ),
        rls.AddPostgresConstraint(
            model_name="driftreport",
            constraint=rls.TenantKey(name="monitoring_driftreport_tenant_key"),
        ),
        rls.AddPostgresConstraint(
            model_name="driftreport",
            constraint=rls.SameTenant(field="model", name="monitoring_driftreport_model_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="driftreport",
            constraint=rls.SameTenant(field="version", name="monitoring_driftreport_version_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="driftresult",
            constraint=rls.RowLevelSecurity(name="monitoring_driftresult_tenant_rows"),
        ),
        rls.AddPostgresConstraint(
            model_name="driftresult",
            constraint=rls.SameTenant(field="report", name="monitoring_driftresult_report_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="performancesnapshot",
            constraint=rls.RowLevelSecurity(name="monitoring_performancesnapshot_tenant_rows"),
        ),
        rls.AddPostgresConstraint(
            model_name="performancesnapshot",
            constraint=rls.SameTenant(field="model", name="monitoring_performancesnapshot_model_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="performancesnapshot",
            constraint=rls.SameTenant(
                field="version", name="monitoring_performancesnapshot_version_same_tenant"
            ),
        ),
        rls.AddPostgresConstraint(
            model_name="retrainingdecision",
            constraint=rls.RowLevelSecurity(name="monitoring_retrainingdecision_tenant_rows"),
        ),
        rls.AddPostgresConstraint(
            model_name="retrainingdecision",
            constraint=rls.SameTenant(field="model", name="monitoring_retrainingdecision_model_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="retrainingdecision",
            constraint=rls.SameTenant(field="alert", name="monitoring_retrainingdecision_alert_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="retrainingdecision",
            constraint=rls.SameTenant(field="job", name="monitoring_retrainingdecision_job_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="retrainingdecision",
            constraint=rls.SameTenant(
                field="deployment", name="monitoring_retrainingdecision_deployment_same_tenant"
            ),
        ),
        rls.AddPostgresConstraint(
            model_name="retrainingpolicy",
            constraint=rls.RowLevelSecurity(name="monitoring_retrainingpolicy_tenant_rows"),
        ),
        rls.AddPostgresConstraint(
            model_name="retrainingpolicy",
            constraint=rls.SameTenant(field="model", name="monitoring_retrainingpolicy_model_same_tenant"),
        ),
    ]
