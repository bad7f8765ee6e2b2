from django.db import migrations

from mlplatform.tenancy import rls


class Migration(migrations.Migration):
    """Checks each outcome's links once: the foreign keys that name the tenant imply the plain ones.

    PostgreSQL looks every one of them up for every row, which was most of what an outcome in bulk cost.
    """

    dependencies = [
        ("feedback", "0006_held_and_rated"),
    ]

    operations = [
        rls.RunOnPostgres(
            sql="""
                DO $$ DECLARE one text; BEGIN
                    FOR one IN SELECT conname FROM pg_constraint
                        WHERE conrelid = 'feedback_outcome'::regclass AND contype = 'f' AND cardinality(conkey) = 1
                    LOOP EXECUTE format('ALTER TABLE feedback_outcome DROP CONSTRAINT %I', one); END LOOP;
                END $$;
            """,
            reverse_sql=rls.RunOnPostgres.noop,
        ),
    ]
