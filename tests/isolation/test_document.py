"""Requests made from the OpenAPI document, as each principal: answered as it says, and nothing breaks.

``ML_TEST_SCHEMA_EXAMPLES=200`` makes a long run of it.
"""

import gc
import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mlplatform.tenancy.models import Role, Scope, TenantModel
from tests.isolation.addresses import FIXED, OF_MODELS, listed
from tests.isolation.principals import PRINCIPALS, Principal, key_client
from tests.isolation.worlds import World

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = int(os.environ.get("ML_TEST_SCHEMA_EXAMPLES", "2"))
BOUNDED = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
# Forms that are refused half-way leave their temporary files to the collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
OPERATIONS: list[Any] = []
WHO = [name for name in PRINCIPALS if name.startswith("key: ") or name in Role.values]


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """Keep the connection, and with it the transaction, over the requests, as Django's test client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
    gc.collect()


@pytest.fixture(params=["all scopes", "nobody", *WHO])
def headers(request: pytest.FixtureRequest, world: World, console_for: Any) -> dict[str, str]:
    """Return what the principal sends to be known."""
    if request.param == "all scopes":
        return headers_of(key_client(world.ours, *Scope.values)[0])
    principal: Principal = PRINCIPALS[request.param](world.ours, console_for)
    return headers_of(principal.client)


def headers_of(client: Any) -> dict[str, str]:
    sent = {"Cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())}
    authorization = client.defaults.get("HTTP_AUTHORIZATION")
    return {"Authorization": authorization} if authorization else sent


def operations(world: World) -> list[Any]:
    """Return each operation of the document, the same for everybody, which is taken in once."""
    if not OPERATIONS:
        reader, _ = key_client(world.ours, Scope.READ)
        accepting = {**headers_of(reader), "Accept": "application/json"}
        document: Any = schemathesis.openapi.from_wsgi("/api/v1/schema/", WSGIHandler(), headers=accepting)
        OPERATIONS.extend(found.ok() for found in document.get_all_operations())
    return OPERATIONS


def known_parameters(path: str, world: World) -> dict[str, Any]:
    """Return parameters that lead to our own row."""
    first = path.removeprefix("/api/v1/").removeprefix("/").partition("/")[0]
    model = listed().get("models" if first in OF_MODELS else first)
    if model is None or not issubclass(model, TenantModel):
        return dict(FIXED)
    row = world.row(model)
    return {**FIXED, "name": getattr(row, "name", "x"), "pk": str(row.pk), "id": str(row.pk)}


def try_operation(operation: Any, headers: dict[str, str], known: dict[str, Any]) -> None:
    """Send a few requests for the operation; raises for an answer that the document does not foresee."""

    @given(case=operation.as_strategy(), ours=st.booleans())
    @BOUNDED
    def conforms(case: Any, ours: bool) -> None:
        if ours:
            case.path_parameters = {name: known.get(name, 1) for name in case.path_parameters or {}}
        with transaction.atomic():
            answer = case.call(headers=headers)
            transaction.set_rollback(True)
        case.validate_response(answer, checks=CHECKS)

    conforms()


def test_every_answer_is_as_the_document_says(headers: dict[str, str], world: World) -> None:
    wrong, tried = [], 0
    for operation in operations(world):
        try:
            try_operation(operation, headers, known_parameters(operation.path, world))
        except (FailureGroup, Failure) as error:  # every operation is tried; all findings are told together
            wrong += [f"{operation.label}: {one}"[:1000] for one in getattr(error, "exceptions", [error])]
        tried += 1
    assert tried > 50
    assert wrong == [], "\n\n".join(wrong)
    assert world.changed() == []
