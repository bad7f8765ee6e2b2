"""Checks, outcomes and settlements that happen at the same moment, on a database that really commits."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

import pytest
from django.db import connection

from feedback.models import Outcome
from feedback.services.outcomes import OutcomeItem, record_outcomes
from mlplatform.errors import Conflict
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.tenants import create_tenant
from monitoring.models import Alert, RetrainingDecision
from monitoring.services.rollups import RolledUp, roll_up
from monitoring.services.settling import settle
from monitoring.services.sums import sums_of
from monitoring.services.windows import check_window
from monitoring.tasks import submit_checks
from registry.gates import GATES, Evidence, Gate, Parameters
from registry.models import Deployment, Prediction, RegisteredModel
from registry.services import demands
from registry.services.serving import predict
from tests.factories import make_champion, make_version, rows_of
from tests.monitoring.conftest import tell
from training.models import JobState, TrainingJob

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clinic() -> Tenant:
    """A tenant whose rows are committed."""
    return create_tenant(slug="clinic", name="North Clinic", by=SYSTEM)


@pytest.fixture
def drifted(clinic: Tenant) -> RegisteredModel:
    """A model whose next check raises an alert and starts a retraining."""
    with tenant_scope(clinic):
        champion = make_champion()
        rows = rows_of(champion, 60, start=100)
        for name in list(rows[0])[:20]:
            rows = [{**row, name: 3 * row[name] + 1} for row in rows]
        tell(predict(model=champion.model, rows=rows, by=SYSTEM).predictions)
    return champion.model


def at_once(tenant: Tenant, work: Callable[[int], object], times: int = 4) -> list[object]:
    """Run ``work`` in threads that start together; a Conflict is a result."""
    start = Barrier(times)

    def run(number: int) -> object:
        start.wait(timeout=30)
        try:
            with tenant_scope(tenant):
                return work(number)
        except Conflict as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(run, range(times)))


def test_checks_at_once_raise_one_alert_and_start_one_retraining(
    clinic: Tenant, drifted: RegisteredModel
) -> None:
    at_once(clinic, lambda _: submit_checks(model=drifted, by=SYSTEM))
    with tenant_scope(clinic):
        assert Alert.objects.get().occurrences == 4
        assert RetrainingDecision.objects.exclude(state="declined").get().job is not None
        assert TrainingJob.objects.count() == 1


def somebody_waits() -> bool:
    """Whether a connection waits for another's lock; only PostgreSQL can tell."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


def test_sums_hold_what_another_is_counting_at_this_moment(clinic: Tenant, drifted: RegisteredModel) -> None:
    counted, asked = Event(), Event()

    def count() -> RolledUp:
        try:
            with tenant_scope(clinic), tenant_transaction():
                found = roll_up()
                counted.set()
                assert asked.wait(timeout=30)
                while connection.vendor == "postgresql" and not reading.done() and not somebody_waits():
                    continue
                return found
        finally:
            connection.close()

    def read() -> int:
        try:
            assert counted.wait(timeout=30)
            asked.set()
            with tenant_scope(clinic):
                window = check_window(drifted)
                assert window is not None
                return sums_of(window).predictions
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        reading: Future[int] = threads.submit(read)
        counting = threads.submit(count)
    assert counting.result() == RolledUp(60, 60)
    assert reading.result() == 60


def test_settlements_at_once_promote_once(clinic: Tenant, drifted: RegisteredModel) -> None:
    with tenant_scope(clinic):
        decision = submit_checks(model=drifted, by=SYSTEM).decision
        assert decision is not None
        TrainingJob.objects.update(state=JobState.SUCCEEDED, version=make_version(drifted))
    states = at_once(clinic, lambda _: settle(decision=decision).state)
    assert states == ["promoted"] * 4
    with tenant_scope(clinic):
        assert Deployment.objects.count() == 2


def test_gates_run_without_a_transaction_that_would_keep_others_from_writing(
    clinic: Tenant, drifted: RegisteredModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[bool] = []

    def look(evidence: Evidence, parameters: Parameters) -> tuple[bool, str, dict[str, Any]]:
        held.append(connection.in_atomic_block)
        return True, "", {}

    monkeypatch.setattr(demands, "GATES", (*GATES, Gate("look", "Looks", "Looks.", look, standard=True)))
    with tenant_scope(clinic):
        decision = submit_checks(model=drifted, by=SYSTEM).decision
        assert decision is not None
        TrainingJob.objects.update(state=JobState.SUCCEEDED, version=make_version(drifted))
        held.clear()  # the first champion passed them, too
        assert settle(decision=decision).state == "promoted"
    assert held == [False]


def test_outcomes_at_once_leave_one_current(clinic: Tenant, drifted: RegisteredModel) -> None:
    with tenant_scope(clinic):
        Outcome.objects.all().delete()
        key = Prediction.objects.order_by("pk")[0].pk

    def report(number: int) -> object:
        item = OutcomeItem(key, ["benign", "malignant"][number % 2])
        return record_outcomes(items=[item], source="api", by=SYSTEM)

    at_once(clinic, report)
    with tenant_scope(clinic):
        assert Outcome.objects.filter(prediction_id=key, current=True).count() == 1
