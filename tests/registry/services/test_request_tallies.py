"""Counts in memory reach the database once each, by several processes, and at a clean stop."""

from unittest import mock

import pytest
from django.db import OperationalError

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.tenants import create_tenant
from registry.models import RegisteredModel, RequestTally
from registry.models.request_tally import ALL_TIME, LATENCY_BOUNDS, RequestOutcome
from registry.services import request_tallies
from registry.services.request_tallies import RequestTallies
from tests.factories import make_model

ANSWERED, FAILED = RequestOutcome.ANSWERED, RequestOutcome.FAILED


@pytest.fixture
def model(tenant: Tenant) -> RegisteredModel:
    """A model that is asked."""
    with tenant_scope(tenant):
        return make_model()


def process() -> RequestTallies:
    """The counts of one server process, written when asked."""
    made = RequestTallies()
    made.every = 0.0
    return made


def note(
    counts: RequestTallies, tenant: Tenant, outcome: RequestOutcome = ANSWERED, seconds: float = 0.02
) -> None:
    counts.note(tenant, "cancer", 1, outcome, seconds)


def ever(tenant: Tenant) -> dict[str, int]:
    """How many requests ended how since ever."""
    with tenant_scope(tenant), tenant_transaction():
        return dict(RequestTally.objects.filter(begins=ALL_TIME).values_list("outcome", "count"))


def test_two_processes_add_to_the_same_counts(tenant: Tenant, model: RegisteredModel) -> None:
    one, other = process(), process()
    for counts in (one, other, one):
        note(counts, tenant)
    note(other, tenant, FAILED)
    for counts in (one, other, one):
        counts.flush()
    assert ever(tenant) == {"answered": 3, "failed": 1}
    with tenant_scope(tenant):
        assert RequestTally.objects.count() == 4  # each once for its hour, once for all time


def test_times_stand_at_the_first_bound_that_they_keep(tenant: Tenant, model: RegisteredModel) -> None:
    counts = process()
    for seconds in (0.001, LATENCY_BOUNDS[0], 0.006, 99.0):
        note(counts, tenant, seconds=seconds)
    counts.flush()
    with tenant_scope(tenant):
        row = RequestTally.objects.get(begins=ALL_TIME)
    assert row.within == [2, 1, *[0] * (len(LATENCY_BOUNDS) - 2), 1]
    assert row.seconds == pytest.approx(99.012)


def test_what_cannot_be_written_waits(tenant: Tenant, model: RegisteredModel) -> None:
    counts = process()
    note(counts, tenant)
    away = mock.patch.object(request_tallies, "add_counts", side_effect=OperationalError("locked"))
    with away, mock.patch.object(request_tallies, "connection"):  # the test's own holds its transaction
        counts.flush()
    note(counts, tenant)
    counts.flush()
    assert ever(tenant) == {"answered": 2}


def test_more_names_than_there_can_be_models_are_not_held(tenant: Tenant, model: RegisteredModel) -> None:
    counts = process()
    note(counts, tenant)
    with mock.patch.object(request_tallies, "MOST_KINDS", 2):
        for number in range(10):
            counts.note(tenant, f"name-{number}", 0, FAILED, 0.1)
        note(counts, tenant)
    assert len(counts._sums) == 2
    counts.flush()
    assert ever(tenant) == {"answered": 2}


@pytest.mark.django_db(transaction=True)
def test_a_clean_stop_writes_everything() -> None:
    tenant = create_tenant(slug="clinic", name="North Clinic", by=SYSTEM)
    with tenant_scope(tenant):
        make_model()
    counts = RequestTallies()
    counts.every = 60.0
    note(counts, tenant)
    note(counts, tenant)
    counts.stop()
    assert ever(tenant) == {"answered": 2}
