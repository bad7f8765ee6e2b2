from django.db import migrations

from mlplatform.tenancy import rls


class Migration(migrations.Migration):
    dependencies = [
        ("registry", "0001_initial"),
        ("tenancy", "0003_second_wall"),
    ]

    operations = [
        rls.AddPostgresConstraint(
            model_name="alias",
            constraint=rls.RowLevelSecurity(name="registry_alias_tenant_rows"),
        ),
        rls.AddPostgresConstraint(
            model_name="alias",
            constraint=rls.SameTenant(field="model", name="registry_alias_model_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="alias",
            constraint=rls.SameTenant(field="version", name="registry_alias_version_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="dataset",
            constraint=rls.RowLevelSecurity(name="registry_dataset_tenant_rows"),
        ),
        rls.AddPostgresConstraint(
            model_name="dataset",
            constraint=rls.TenantKey(name="registry_dataset_tenant_key"),
        ),
        rls.AddPostgresConstraint(
            model_name="dataset",
            constraint=rls.SameTenant(field="parent", name="registry_dataset_parent_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="deployment",
            constraint=rls.RowLevelSecurity(name="registry_deployment_tenant_rows"),
        ),
        rls.AddPostgresConstraint(
            model_name="deployment",
            constraint=rls.TenantKey(name="registry_deployment_tenant_key"),
        ),
        rls.AddPostgresConstraint(
            model_name="deployment",
            constraint=rls.SameTenant(field="model", name="registry_deployment_model_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="deployment",
            constraint=rls.SameTenant(field="version", name="registry_deployment_version_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="deployment",
            constraint=rls.SameTenant(field="previous", name="registry_deployment_previous_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="modelversion",
            constraint=rls.RowLevelSecurity(name="registry_modelversion_tenant_rows"),
        ),
        rls.AddPostgresConstraint(
            model_name="modelversion",
            constraint=rls.TenantKey(name="registry_modelversion_tenant_key"),
        ),
        rls.AddPostgresConstraint(
            model_name="modelversion",
            constraint=rls.SameTenant(field="model", name="registry_modelversion_model_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="modelversion",
            constraint=rls.SameTenant(field="dataset", name="registry_modelversion_dataset_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="prediction",
            constraint=rls.RowLevelSecurity(name="registry_prediction_tenant_rows"),
        ),
        rls.AddPostgresConstraint(
            model_name="prediction",
            constraint=rls.TenantKey(name="registry_prediction_tenant_key"),
        ),
        rls.AddPostgresConstraint(
            model_name="prediction",
            constraint=rls.SameTenant(field="model", name="registry_prediction_model_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="prediction",
            constraint=rls.SameTenant(field="version", name="registry_prediction_version_same_tenant"),
        ),
        rls.AddPostgresConstraint(
            model_name="registeredmodel",
            constraint=rls.RowLevelSecurity(name="registry_registeredmodel_tenant_rows"),
        ),
        rls.AddPostgresConstraint(
            model_name="registeredmodel",
            constraint=rls.TenantKey(name="registry_registeredmodel_tenant_key"),
        ),
    ]
