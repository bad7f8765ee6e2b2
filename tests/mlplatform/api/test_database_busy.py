"""A database that cannot serve now is answered with 503 and Retry-After, wherever it is found out."""

from collections.abc import Iterator

import pytest
from django.db import InterfaceError, OperationalError, ProgrammingError, connection
from django.test import Client

from mlplatform.api.problems import is_database_busy
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Membership, RequestCount, Role, Tenant, User
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.api_keys import create_api_key
from mlplatform.tenancy.services.tenants import create_tenant

WAIT = {"sqlite": "PRAGMA busy_timeout = 100", "postgresql": "SET lock_timeout = 100"}
PATIENT = {"sqlite": "PRAGMA busy_timeout = 20000", "postgresql": "RESET lock_timeout"}
LOCK = {
    "sqlite": ["BEGIN IMMEDIATE"],
    "postgresql": ["BEGIN", f"LOCK TABLE {RequestCount._meta.db_table} IN EXCLUSIVE MODE"],
}


@pytest.fixture
def clinic(transactional_db: None) -> Tenant:
    return create_tenant(slug="clinic", name="North Clinic", by=SYSTEM)


@pytest.fixture
def locked(clinic: Tenant) -> Iterator[None]:
    """Hold what every request of the tenant writes to, from another connection."""
    other = connection.copy()
    with connection.cursor() as cursor:
        cursor.execute(WAIT[connection.vendor])
    for statement in LOCK[connection.vendor]:
        other.cursor().execute(statement)
    yield
    other.cursor().execute("ROLLBACK")
    other.close()
    with connection.cursor() as cursor:
        cursor.execute(PATIENT[connection.vendor])


@pytest.fixture
def secret(clinic: Tenant) -> str:
    with tenant_scope(clinic):
        return create_api_key(name="test", scopes=["read"], by=SYSTEM).secret


def test_the_api_answers_a_problem_document(clinic: Tenant, secret: str, locked: None) -> None:
    client = Client(raise_request_exception=False)
    answer = client.get("/api/v1/models", headers={"Authorization": f"Bearer {secret}"})
    assert (answer.status_code, answer["Content-Type"]) == (503, "application/problem+json")
    assert answer.json()["code"] == "database_busy"
    assert answer["Retry-After"] == "2"


def test_the_console_answers_a_page(clinic: Tenant, request: pytest.FixtureRequest) -> None:
    user = User.objects.create_user("ann@clinic.example", "a-Long-pass-9")
    with tenant_scope(clinic):
        Membership.objects.create(user=user, role=Role.ADMIN)
    client = Client(raise_request_exception=False)
    client.force_login(user)
    request.getfixturevalue("locked")
    answer = client.get("/admin/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert b"Send the request again in a moment." in answer.content


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("database is locked"),
        OperationalError("connection failed: FATAL: sorry, too many clients already"),
        OperationalError("couldn't get a connection after 30.00 sec"),
        OperationalError("deadlock detected"),
        OperationalError("consuming input failed: server closed the connection unexpectedly"),
        InterfaceError("connection already closed"),
    ],
)
def test_what_time_heals_is_busy(error: Exception) -> None:
    assert is_database_busy(error)


@pytest.mark.parametrize(
    "error", [None, ValueError("locked"), OperationalError("no such table: x"), ProgrammingError("no column")]
)
def test_what_is_a_bug_is_not(error: Exception | None) -> None:
    assert not is_database_busy(error)
