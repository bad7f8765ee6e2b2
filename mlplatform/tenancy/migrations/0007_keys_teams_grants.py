import django.db.models.deletion
from django.db import migrations, models

import mlplatform.tenancy.scope
from mlplatform.tenancy import rls

CASCADE, PROTECT = django.db.models.deletion.CASCADE, django.db.models.deletion.PROTECT


def key() -> tuple[str, models.Field]:
    return (
        "id",
        models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
    )


def tenant() -> tuple[str, models.Field]:
    return (
        "tenant",
        models.ForeignKey(
            default=mlplatform.tenancy.scope.current_tenant_id,
            editable=False,
            on_delete=PROTECT,
            related_name="+",
            to="tenancy.tenant",
        ),
    )


def link(to: str, *, related_name: str, null: bool = False) -> models.ForeignKey:
    return models.ForeignKey(null=null, on_delete=CASCADE, related_name=related_name, to=to)


class Migration(migrations.Migration):
    dependencies = [("registry", "0003_dataset_model"), ("tenancy", "0006_sign_in")]

    operations = [
        migrations.AddField(
            model_name="apikey",
            name="last_used_from",
            field=models.GenericIPAddressField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="apikey",
            name="model_names",
            field=models.JSONField(default=list, help_text="The models it may use; empty for all."),
        ),
        migrations.AddField(
            model_name="apikey",
            name="rotated_from",
            field=models.OneToOneField(
                editable=False,
                null=True,
                on_delete=PROTECT,
                related_name="successor",
                to="tenancy.apikey",
            ),
        ),
        migrations.CreateModel(
            name="Team",
            fields=[
                key(),
                ("name", models.CharField(help_text="For example 'Radiology'.", max_length=100)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                tenant(),
            ],
            options={"ordering": ["name"]},
        ),
        migrations.CreateModel(
            name="TeamMember",
            fields=[
                key(),
                ("team", link("tenancy.team", related_name="+")),
                ("membership", link("tenancy.membership", related_name="+")),
                tenant(),
            ],
        ),
        migrations.AddField(
            model_name="team",
            name="members",
            field=models.ManyToManyField(
                related_name="teams", through="tenancy.TeamMember", to="tenancy.membership"
            ),
        ),
        migrations.CreateModel(
            name="Grant",
            fields=[
                key(),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("none", "No access: the model does not exist for them"),
                            ("viewer", "Viewer: reads"),
                            ("analyst", "Analyst: data and training"),
                            ("operator", "Operator: deployment, feedback, alerts, schedules"),
                            ("approver", "Approver: approves promotions"),
                        ],
                        max_length=20,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("created_by", models.CharField(editable=False, max_length=200)),
                ("model", link("registry.registeredmodel", related_name="grants")),
                ("membership", link("tenancy.membership", related_name="grants", null=True)),
                ("team", link("tenancy.team", related_name="grants", null=True)),
                tenant(),
            ],
            options={"verbose_name": "model right", "ordering": ["model__name", "pk"]},
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.CheckConstraint(
                condition=models.Q(("membership", None), ("team", None), _connector="XOR"),
                name="grant_to_member_or_team",
            ),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.UniqueConstraint(
                fields=("tenant", "model", "membership"), name="one_grant_per_member"
            ),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.UniqueConstraint(fields=("tenant", "model", "team"), name="one_grant_per_team"),
        ),
        migrations.AddConstraint(
            model_name="teammember",
            constraint=models.UniqueConstraint(
                fields=("tenant", "team", "membership"), name="once_in_a_team"
            ),
        ),
        migrations.AddConstraint(
            model_name="team",
            constraint=models.UniqueConstraint(
                fields=("tenant", "name"),
                name="team_name_once",
                violation_error_message="A team of this name exists already.",
            ),
        ),
        *(
            rls.AddPostgresConstraint(
                model_name=table, constraint=rls.TenantKey(name=f"tenancy_{table}_tenant_key")
            )
            for table in ("apikey", "membership", "team")
        ),
        *(
            rls.AddPostgresConstraint(
                model_name=table, constraint=rls.RowLevelSecurity(name=f"tenancy_{table}_tenant_rows")
            )
            for table in ("team", "teammember", "grant")
        ),
        *(
            rls.AddPostgresConstraint(
                model_name=table,
                constraint=rls.SameTenant(field=field, name=f"tenancy_{table}_{field}_same_tenant"),
            )
            for table, field in (
                ("apikey", "rotated_from"),
                ("teammember", "team"),
                ("teammember", "membership"),
                ("grant", "model"),
                ("grant", "membership"),
                ("grant", "team"),
            )
        ),
    ]
