"""Let PostgreSQL itself keep the history of what ran, and the record of what ever ran."""

from django.db import migrations, models

from mlplatform.tenancy.rls import RunOnPostgres

# History goes with its tenant alone, by the hand of the tables' owner (see tenancy/0010).
ERASES = """TG_OP = 'DELETE' AND current_setting('app.erased_tenant', true) = OLD.tenant_id::text
        AND pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'MEMBER')"""
# Features and histograms are not among them: values of columns that turn out to be personal are taken out.
# Nor are status, tags, seal and twin, which are not what was trained.
RECORD = (
    "model_id, number, algorithm, params, classes, metrics, cv_metrics, importance, dataset_id, split, "
    "holdout_rows, artifact_hash, artifact_bytes, environment, created_at, created_by"
)


def columns(row: str) -> str:
    """Return the record's columns of OLD or NEW."""
    return ", ".join(f"{row}.{name}" for name in RECORD.split(", "))


LOCKED = f"""
CREATE FUNCTION registry_deployment_append_only() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF {ERASES} THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'Deployments are history.' USING ERRCODE = 'restrict_violation';
END $body$;
CREATE TRIGGER registry_deployment_append_only BEFORE UPDATE OR DELETE ON registry_deployment
    FOR EACH ROW EXECUTE FUNCTION registry_deployment_append_only();
CREATE FUNCTION registry_deployed_version_locked() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF ({columns("OLD")}) IS DISTINCT FROM ({columns("NEW")})
        AND EXISTS (SELECT FROM registry_deployment WHERE version_id = OLD.id) THEN
        RAISE EXCEPTION 'A version that was deployed is never changed.' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $body$;
CREATE TRIGGER registry_deployed_version_locked BEFORE UPDATE ON registry_modelversion
    FOR EACH ROW EXECUTE FUNCTION registry_deployed_version_locked();
"""
OPEN = """
DROP TRIGGER registry_deployment_append_only ON registry_deployment;
DROP FUNCTION registry_deployment_append_only();
DROP TRIGGER registry_deployed_version_locked ON registry_modelversion;
DROP FUNCTION registry_deployed_version_locked();
"""


class Migration(migrations.Migration):
    dependencies = [("registry", "0014_promotion_requests")]

    operations = [
        migrations.AlterField(
            model_name="deployment",
            name="action",
            field=models.CharField(
                choices=[
                    ("promote", "Promoted"),
                    ("rollback", "Rolled back"),
                    ("alias", "Named"),
                    ("unalias", "Name taken off"),
                ],
                max_length=20,
            ),
        ),
        RunOnPostgres(LOCKED, OPEN),
    ]
