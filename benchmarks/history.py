"""A deployed model of 20 features with as many stored predictions as one likes, made by a few statements.

Django has to be set up; the functions work in a tenant's scope. A template of real answers is asked, logged
and rolled up by the platform; what follows are copies of it, in SQL of sets, each at a moment of its own.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from benchmarks.frames import labelled_frame
from feedback.models import Outcome
from feedback.services.outcomes import OutcomeItem, record_outcomes
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.scope import tenant_transaction
from monitoring.models import Rollup
from monitoring.services.rollups import roll_up
from registry.models import Deployment, ModelVersion, Prediction
from registry.services.models import create_model
from registry.services.serving import predict
from tests.factories import make_champion, make_dataset, rows_of

TEMPLATE_ROWS = 1_000
DAYS = 29  # of history; a day more, and the policy would call for retraining by age
SERIES = {
    "sqlite": "WITH RECURSIVE series(n) AS "
    "(SELECT 0 UNION ALL SELECT n + 1 FROM series WHERE n + 1 < {rows})",
    "postgresql": "WITH series(n) AS (SELECT generate_series(0, {rows} - 1))",
}
MOMENT = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f', '{begins}', '+' || (n * {step}) || ' seconds') || '000'",
    "postgresql": "timestamptz '{begins}+00' + n * {step} * interval '1 second'",
}
# Version 7: the time first, so that copies lie together in the index as real rows do.
IDENTIFIER = {
    "sqlite": "printf('%012x', {start} + n * {step} * 1000) || '7' "
    "|| lower(substr(hex(randomblob(2)), 1, 3)) "
    "|| '8' || lower(substr(hex(randomblob(8)), 1, 15))",
    "postgresql": "(lpad(to_hex(({start} + n * {step} * 1000)::bigint), 12, '0') || '7' "
    "|| substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid",
}


def deployed(name: str, days: int = DAYS) -> ModelVersion:
    """Return a champion of 16 numbers and 4 categories that was promoted so many days ago."""
    model = create_model(name=name, problem_type="classification", target="diagnosis", by=SYSTEM)
    version = make_champion(model, dataset=make_dataset(frame=labelled_frame(5 * TEMPLATE_ROWS)))
    then = timezone.now() - timedelta(days=days)
    with tenant_transaction():
        ModelVersion.objects.filter(pk=version.pk).update(created_at=then)
        Deployment.objects.filter(model=model).update(created_at=then)
    return ModelVersion.objects.select_related("model").get(pk=version.pk)


def ask_template(version: ModelVersion) -> None:
    """Ask training rows in the hour after the promotion, tell their outcomes, and keep a copy of the log."""
    asked = predict(model=version.model, rows=rows_of(version, TEMPLATE_ROWS), by=SYSTEM).predictions
    at = version.created_at + timedelta(seconds=1)
    with tenant_transaction():
        Prediction.objects.filter(version=version).update(created_at=at)
    record_outcomes(items=[OutcomeItem(row.pk, row.label) for row in asked], source="api", by=SYSTEM)
    roll_up()
    with tenant_transaction(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS template")
        cursor.execute(
            "CREATE TABLE template AS SELECT row_number() OVER (ORDER BY id) - 1 AS place, p.* "  # noqa: S608
            f"FROM {Prediction._meta.db_table} p WHERE version_id = {version.pk}"
        )
        cursor.execute("CREATE UNIQUE INDEX template_place ON template (place)")


def copy_hours(version: ModelVersion) -> None:
    """Have every hour since the promotion a roll-up like the template's."""
    first = Rollup.objects.get(version=version)
    hours = int((timezone.now() - first.begins) / timedelta(hours=1))
    same = {
        one.attname: getattr(first, one.attname) for one in Rollup._meta.concrete_fields if one.name != "id"
    }
    begun = first.begins.replace(minute=0, second=0, microsecond=0)
    rows = [Rollup(**{**same, "begins": begun + timedelta(hours=place)}) for place in range(1, hours)]
    with tenant_transaction():
        Rollup.objects.bulk_create(rows)


def copy_predictions(
    version: ModelVersion, rows: int, begins: datetime, ends: datetime, *, rolled_up: bool
) -> None:
    """Store so many copies of the template, evenly between two moments."""
    changed = {
        "id": _sql(IDENTIFIER, rows, begins, ends),
        "created_at": _sql(MOMENT, rows, begins, ends),
        "rolled_up": "true" if rolled_up else "false",
    }
    names = [column.column for column in Prediction._meta.concrete_fields]
    values = ", ".join(changed.get(name, f"t.{name}") for name in names)
    join = f"FROM series JOIN template t ON t.place = series.n % {TEMPLATE_ROWS}"
    _insert(Prediction, names, f"{_sql(SERIES, rows, begins, ends)} SELECT {values} {join}")


def copy_outcomes(version: ModelVersion, every: int, begins: datetime, *, rolled_up: bool) -> None:
    """Store an outcome for every so-and-so-many-th prediction since a moment that has none."""
    values = {
        "tenant_id": "p.tenant_id",
        "prediction_id": "p.id",
        "model_id": "p.model_id",
        "label": "p.label",
        "value": "NULL",
        "current": "true",
        "rolled_up": "true" if rolled_up else "false",
        "source": "'api'",
        "observed_at": "NULL",
        "delay_seconds": "3600",
        "received_at": "p.created_at",
        "received_from": "'benchmark'",
    }
    told = f"""SELECT {", ".join(values.values())} FROM (
        SELECT q.*, row_number() OVER (ORDER BY q.created_at) AS place FROM {Prediction._meta.db_table} q
        WHERE q.version_id = {version.pk} AND q.created_at >= '{_plain(begins)}'
    ) p WHERE place % {every} = 0 AND NOT EXISTS (
        SELECT 1 FROM {Outcome._meta.db_table} o WHERE o.prediction_id = p.id)"""  # noqa: S608
    _insert(Outcome, list(values), told)


def settle() -> None:
    """Have the database look at its tables, as it does by itself after a while."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")


def _insert(table: Any, names: list[str], select: str) -> None:
    columns = ", ".join(names)
    # SQLite takes the series before INSERT or within its SELECT; both take it within.
    with tenant_transaction(), connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table._meta.db_table} ({columns}) {select}")


def _sql(by_vendor: dict[str, str], rows: int, begins: datetime, ends: datetime) -> str:
    step = (ends - begins).total_seconds() / rows
    start = int(begins.timestamp() * 1000)
    return by_vendor[connection.vendor].format(rows=rows, begins=_plain(begins), step=step, start=start)


def _plain(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")
