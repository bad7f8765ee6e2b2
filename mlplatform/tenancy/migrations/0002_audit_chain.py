"""Chain the audit trail, and let PostgreSQL itself refuse to rewrite it."""

from collections.abc import Callable

import django.db.models.deletion
import django.db.models.manager
import django.utils.timezone
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

import mlplatform.tenancy.scope
from mlplatform.tenancy.chain import entry_of, genesis, seal

APPEND_ONLY = """
CREATE FUNCTION tenancy_audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'Audit events are never changed or deleted.' USING ERRCODE = 'restrict_violation';
END $body$;
CREATE TRIGGER tenancy_audit_append_only BEFORE UPDATE OR DELETE ON tenancy_auditevent
    FOR EACH ROW EXECUTE FUNCTION tenancy_audit_append_only();
CREATE FUNCTION tenancy_audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.tenant_id = OLD.tenant_id AND NEW.sequence = OLD.sequence + 1 THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The audit trail only grows.' USING ERRCODE = 'restrict_violation';
END $body$;
CREATE TRIGGER tenancy_audit_only_grows BEFORE UPDATE OR DELETE ON tenancy_audithead
    FOR EACH ROW EXECUTE FUNCTION tenancy_audit_only_grows();
"""
REWRITABLE = """
DROP TRIGGER tenancy_audit_append_only ON tenancy_auditevent;
DROP FUNCTION tenancy_audit_append_only();
DROP TRIGGER tenancy_audit_only_grows ON tenancy_audithead;
DROP FUNCTION tenancy_audit_only_grows();
"""


def chain_what_is_there(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Seal the entries that were written before there was a chain, in the order they came in."""
    event_model = apps.get_model("tenancy", "AuditEvent")
    for tenant in apps.get_model("tenancy", "Tenant").objects.all():
        sequence, last = 0, genesis(tenant.slug)
        for event in event_model.objects.filter(tenant_id=tenant.pk).order_by("pk").iterator():
            sequence += 1
            event.sequence, event.prev_hash = sequence, last
            event.hash = last = seal(entry_of(event))
            event.save(update_fields=["sequence", "prev_hash", "hash"])
        if sequence:
            head = apps.get_model("tenancy", "AuditHead")
            head.objects.create(tenant_id=tenant.pk, sequence=sequence, hash=last)


def on_postgresql(sql: str) -> Callable[[StateApps, BaseDatabaseSchemaEditor], None]:
    """Return an operation's function that runs the SQL on PostgreSQL and does nothing elsewhere."""

    def run(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(sql)

    return run


class Migration(migrations.Migration):
    dependencies = [("tenancy", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="AuditHead",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("sequence", models.PositiveBigIntegerField(default=0)),
                ("hash", models.CharField(max_length=64)),
                (
                    "tenant",
                    models.ForeignKey(
                        default=mlplatform.tenancy.scope.current_tenant_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenancy.tenant",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=["tenant"], name="one_audit_head_per_tenant")]
            },
        ),
        migrations.AlterModelOptions(
            name="auditevent",
            options={"base_manager_name": "all_tenants", "ordering": ["-sequence"]},
        ),
        migrations.AlterModelManagers(
            name="auditevent",
            managers=[
                ("objects", django.db.models.manager.Manager()),
                ("all_tenants", django.db.models.manager.Manager()),
            ],
        ),
        migrations.AlterField(
            model_name="auditevent",
            name="at",
            field=models.DateTimeField(db_index=True, default=django.utils.timezone.now, editable=False),
        ),
        migrations.AddField("auditevent", "before", models.JSONField(null=True)),
        migrations.AddField("auditevent", "after", models.JSONField(null=True)),
        migrations.AddField(
            "auditevent",
            "sequence",
            models.PositiveBigIntegerField(editable=False, default=0),
            preserve_default=False,
        ),
        migrations.AddField(
            "auditevent",
            "prev_hash",
            models.CharField(max_length=64, editable=False, default=""),
            preserve_default=False,
        ),
        migrations.AddField(
            "auditevent",
            "hash",
            models.CharField(max_length=64, editable=False, default=""),
            preserve_default=False,
        ),
        migrations.RunPython(chain_what_is_there, migrations.RunPython.noop),
        migrations.AddConstraint(
            "auditevent",
            models.UniqueConstraint(fields=["tenant", "sequence"], name="one_audit_event_per_place"),
        ),
        migrations.RunPython(on_postgresql(APPEND_ONLY), on_postgresql(REWRITABLE)),
    ]
