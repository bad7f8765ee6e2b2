from django.db import migrations

from mlplatform.tenancy import rls


class Migration(migrations.Migration):
    dependencies = [
        ("tenancy", "0002_audit_chain"),
    ]

    operations = [
        rls.AddPostgresConstraint(
            model_name="apikey",
            constraint=rls.RowLevelSecurity(name="tenancy_apikey_tenant_rows"),
        ),
        rls.AddPostgresConstraint(
            model_name="auditevent",
            constraint=rls.RowLevelSecurity(name="tenancy_auditevent_tenant_rows"),
        ),
        rls.AddPostgresConstraint(
            model_name="audithead",
            constraint=rls.RowLevelSecurity(name="tenancy_audithead_tenant_rows"),
        ),
        rls.AddPostgresConstraint(
            model_name="membership",
            constraint=rls.RowLevelSecurity(name="tenancy_membership_tenant_rows"),
        ),
        rls.RunOnPostgres(
            **rls.lookup_function("key_lookup", table="tenancy_apikey", column="prefix", kind="varchar")
        ),
        rls.RunOnPostgres(
            **rls.lookup_function(
                "memberships_of", table="tenancy_membership", column="user_id", kind="bigint"
            )
        ),
        rls.RunOnPostgres(**rls.revoke_from_others("UPDATE, DELETE", table="tenancy_auditevent")),
        rls.RunOnPostgres(**rls.revoke_from_others("INSERT, UPDATE, DELETE", table="django_migrations")),
    ]
