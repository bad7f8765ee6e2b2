"""What monitoring costs on stored predictions: ``python -m benchmarks.stored``.

A whole check task with 100,000 predictions stored and with 5,000,000, of which a month's hours are rolled up;
rolling up predictions and, later, their outcomes; and a new model's first 1,000 predictions with outcomes,
from nothing to alerts. Into SQLite, or into an empty PostgreSQL database (``--database URL``); as JSON with
``--json``.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import django

from tests.plugins.services import manage

STORED = (100_000, 5_000_000)
COUNTED = 100_000
ROUNDS = 9
NEW_ROWS = 100  # come in between two checks
EVERYTHING = 1_000


def main() -> int:
    """Measure, and print what was found as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stored", nargs="*", type=int, default=list(STORED), help="Stored predictions.")
    parser.add_argument("--counted", type=int, default=COUNTED, help="Predictions to be rolled up (100,000).")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"Checks of each size ({ROUNDS}).")
    parser.add_argument("--database", default="", help="DATABASE_URL of an empty database; else SQLite.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stored-") as name:
        os.environ.pop("DATABASE_URL", None)
        os.environ.update(
            {"ML_DATA_DIR": name, "DJANGO_SETTINGS_MODULE": "mlplatform.settings"}
            | ({"DATABASE_URL": options.database} if options.database else {})
        )
        manage("migrate", "-v0")
        django.setup()
        print(json.dumps(measured(options.stored, options.counted, options.rounds)))
    return 0


def measured(stored: Sequence[int], counted: int, rounds: int) -> dict[str, Any]:
    """Return the seconds of each part, wall and processor, and how many queries a check makes."""
    from mlplatform.tenancy.actors import SYSTEM
    from mlplatform.tenancy.scope import tenant_scope
    from mlplatform.tenancy.services.tenants import create_tenant

    tenant = create_tenant(slug=f"bench-{time.time_ns()}", name="Bench", by=SYSTEM)
    with tenant_scope(tenant):
        return {
            "everything": everything(tenant, rounds),
            "rolling_up": rolling_up(counted),
            "checks": checks(tenant, stored, rounds),
        }


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Return the seconds that passed, and those of this process's processor."""
    began, busy = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - busy


def told(rounds: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Return the medians."""
    return {
        "seconds": statistics.median(one for one, _ in rounds),
        "processor": statistics.median(one for _, one in rounds),
    }


def checks(tenant: Any, stored: Sequence[int], rounds: int) -> dict[str, dict[str, float]]:
    """Let the task check a model with a month's history, after so many stored predictions each."""
    from django.utils import timezone

    from benchmarks.history import ask_template, copy_hours, copy_outcomes, copy_predictions, deployed, settle

    version = deployed("history")
    ask_template(version)
    copy_hours(version)
    found, before = {}, 0
    for size in stored:
        begins = version.created_at
        copy_predictions(version, size - before, begins, timezone.now(), rolled_up=True)
        copy_outcomes(version, 2, begins, rolled_up=True)
        settle()
        before = size
        found[str(size)] = _checked(tenant, version, rounds)
    return found


def _checked(tenant: Any, version: Any, rounds: int) -> dict[str, float]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from monitoring.tasks import check_model
    from registry.services.serving import predict
    from tests.factories import rows_of

    rows, results = rows_of(version, NEW_ROWS), []
    for _ in range(rounds + 1):
        predict(model=version.model, rows=rows, by=_by())
        results.append(timed(lambda: check_model(version.model_id, tenant_id=tenant.pk)))
    predict(model=version.model, rows=rows, by=_by())
    with CaptureQueriesContext(connection) as queries:
        check_model(version.model_id, tenant_id=tenant.pk)
    return told(results[1:]) | {"queries": len(queries)}  # the first one makes rules and imports


def rolling_up(rows: int) -> dict[str, float]:
    """Roll up a day's predictions, and then their outcomes."""
    from datetime import timedelta

    from django.utils import timezone

    from benchmarks.history import ask_template, copy_outcomes, copy_predictions, deployed
    from monitoring.services.rollups import RolledUp, roll_up

    version = deployed("day", days=2)
    ask_template(version)
    ends = timezone.now()
    begins = ends - timedelta(days=1)
    copy_predictions(version, rows, begins, ends, rolled_up=False)
    results: list[RolledUp] = []
    asked = timed(lambda: results.append(roll_up()))
    copy_outcomes(version, 1, begins, rolled_up=False)
    known = timed(lambda: results.append(roll_up()))
    if results != [RolledUp(rows, 0), RolledUp(0, rows)]:
        raise SystemExit(f"Rolled up {results}, not {rows} predictions and outcomes.")
    return {
        "rows": rows,
        "predictions": asked[0],
        "outcomes": known[0],
        "seconds": asked[0] + known[0],
        "processor": asked[1] + known[1],
    }


def everything(tenant: Any, rounds: int) -> dict[str, float]:
    """Check models of which 1,000 predictions and their outcomes have just come, from nothing to alerts."""
    from benchmarks.history import deployed
    from feedback.services.outcomes import OutcomeItem, record_outcomes
    from monitoring.tasks import check_model
    from registry.services.serving import predict
    from tests.factories import rows_of

    results = []
    for place in range(rounds + 1):
        version = deployed(f"new-{place}", days=1)
        asked = predict(model=version.model, rows=rows_of(version, EVERYTHING), by=_by()).predictions
        record_outcomes(items=[OutcomeItem(row.pk, row.label) for row in asked], source="api", by=_by())
        results.append(timed(lambda of=version: check_model(of.model_id, tenant_id=tenant.pk)))  # type: ignore[misc]
    return told(results[1:])  # the first one imports


def _by() -> Any:
    from mlplatform.tenancy.actors import SYSTEM

    return SYSTEM


if __name__ == "__main__":
    sys.exit(main())
