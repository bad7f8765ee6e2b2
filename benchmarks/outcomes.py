"""How fast outcomes come in, in bulk: ``python -m benchmarks.outcomes`` (``--database URL`` for PostgreSQL).

Predictions of a classifier are logged, then their outcomes are sent as one bulk call sends them: lines of
CSV, read, matched, checked against the model's classes, held against what is known, stored. By ids and by the
client's own keys, each new, repeated and corrected. Ends with 1 where new outcomes by id come in slower than
the bar: 10,000 a second into SQLite, 20,000 into PostgreSQL.
"""

import argparse
import io
import os
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import django
from rich.console import Console
from rich.table import Table

from tests.plugins.services import manage

BARS = {"sqlite": 10_000, "postgresql": 20_000}  # outcomes a second
LABELS = ("benign", "malignant")
BY_ID, BY_KEY = "by prediction id", "by entity key"
AT_ONCE = 10_000


def champion() -> Any:
    """Return a small deployed classifier of a new tenant, whose scope the caller enters."""
    from tests.factories import make_champion

    return make_champion()


def ask(version: Any, rows: int) -> list[tuple[Any, str]]:
    """Log so many predictions, each about a case of its own; return id and key of each."""
    from django.utils import timezone

    from mlplatform.tenancy.raw_rows import insert_rows
    from mlplatform.tenancy.scope import tenant_transaction
    from registry.models import Prediction
    from registry.models.prediction import time_ordered_uuid
    from registry.services.pseudonyms import entity_pseudonyms
    from tests.factories import rows_of

    features, now = rows_of(version, 1)[0], timezone.now() - timedelta(hours=1)
    names = [(time_ordered_uuid(), f"case-{time.time_ns()}-{place}") for place in range(rows)]
    pseudonyms = entity_pseudonyms([key for _, key in names])
    logged = [
        {
            "id": pk,
            "model_id": version.model_id,
            "version_id": version.pk,
            "entity_key": entity,
            "features": features,
            "label": LABELS[place % 2],
            "latency_ms": 1.0,
            "asked_by": "benchmark",
            "created_at": now + timedelta(microseconds=place),
        }
        for place, ((pk, _), entity) in enumerate(zip(names, pseudonyms, strict=True))
    ]
    with tenant_transaction():
        insert_rows(Prediction, logged)
    return names


def lines(names: list[tuple[Any, str]], how: str, shift: int) -> bytes:
    """Return the body of a bulk call; another ``shift`` tells other values."""
    told = [
        f"{pk if how == BY_ID else key},{LABELS[(place // 3 + shift) % 2]}"
        for place, (pk, key) in enumerate(names)
    ]
    head = "prediction_id" if how == BY_ID else "entity_key"
    return "\n".join([f"{head},outcome", *told]).encode()


def send(body: bytes, model: str) -> tuple[float, Any]:
    """Record the lines; return the seconds and what came of it."""
    from feedback.services.imports import import_outcomes
    from mlplatform.tenancy.actors import SYSTEM

    began = time.perf_counter()
    result = import_outcomes(file=io.BytesIO(body), by=SYSTEM, model=model, source="api", most=100_000)
    return time.perf_counter() - began, result


def measured(version: Any, rows: int, rounds: int) -> dict[tuple[str, str], list[float]]:
    """Return the seconds of every round, by how predictions are named and what the outcomes say."""
    found: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for how in (BY_ID, BY_KEY):
            names = ask(version, rows)
            for what, shift in (("new", 0), ("repeated", 0), ("corrected", 1)):
                seconds, result = send(lines(names, how, shift), version.model.name)
                counts = {"new": result.accepted, "repeated": result.repeated, "corrected": result.corrected}
                if counts[what] != rows:
                    raise SystemExit(f"{how}, {what}: {counts} of {rows}")
                found.setdefault((how, what), []).append(seconds)
    return found


def main() -> int:
    """Measure and judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000, help="Outcomes in a call (100,000).")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database", default="", help="DATABASE_URL of an empty database; else SQLite.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="outcomes-") as name:
        os.environ.pop("DATABASE_URL", None)
        os.environ.update(
            {"ML_DATA_DIR": name, "DJANGO_SETTINGS_MODULE": "mlplatform.settings"}
            | ({"DATABASE_URL": options.database} if options.database else {})
        )
        manage("migrate", "-v0")
        django.setup()
        return judged(options.rows, options.rounds)


def judged(rows: int, rounds: int) -> int:
    """Print the table, and return 1 where the bar is missed."""
    from django.db import connection

    from mlplatform.tenancy.actors import SYSTEM
    from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
    from mlplatform.tenancy.services.tenants import create_tenant

    tenant = create_tenant(slug=f"bench-{time.time_ns()}", name="Bench", by=SYSTEM)
    with tenant_scope(tenant):
        with tenant_transaction():
            version = champion()
        found = measured(version, rows, rounds)
    console, bar = Console(width=100), BARS[connection.vendor]
    table = Table(title=f"{rows:,} outcomes in a call, {connection.vendor}, median of {rounds}")
    for head in ("", "", "seconds", "outcomes a second"):
        table.add_column(head, justify="left" if not head else "right")
    rates = {key: rows / statistics.median(seconds) for key, seconds in found.items()}
    for (how, what), rate in rates.items():
        table.add_row(how, what, f"{rows / rate:.2f}", f"{rate:,.0f}")
    console.print(table)
    rate = rates[BY_ID, "new"]
    console.print(f"bar: {bar:,} a second; figure: {rate:,.0f}: {'held' if rate >= bar else 'MISSED'}")
    return 0 if rate >= bar else 1


if __name__ == "__main__":
    sys.exit(main())
