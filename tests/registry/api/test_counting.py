"""Every request for answers is counted by how it ended; a bug of the short way is answered like any other."""

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.files.storage import default_storage
from django.test import RequestFactory
from pytest_django import Settings
from rest_framework.test import APIClient

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services import leases, requests
from registry.api.quick import quick_answers
from registry.models import ModelVersion, RequestTally
from registry.models.request_tally import ALL_TIME
from registry.services.loading import CACHE
from registry.services.promotion import promote
from registry.services.request_tallies import TALLIES
from tests.conftest import ApiFor
from tests.factories import make_champion, make_dataset, make_version, rows_of, table

PREDICT = "/api/v1/models/cancer/predict"
Ended = dict[tuple[int, str], int]


@pytest.fixture
def champion(tenant: Tenant) -> ModelVersion:
    """The clinic's champion for ``cancer``."""
    with tenant_scope(tenant):
        return make_champion()


@pytest.fixture
def client(champion: ModelVersion, api_for: ApiFor) -> APIClient:
    """A client that may predict for the clinic."""
    return api_for(champion.tenant, "predict", "read")


def post(client: APIClient, body: Any, path: str = PREDICT, **headers: Any) -> Any:
    """The answer to a body."""
    return client.generic("POST", path, json.dumps(body), content_type="application/json", **headers)


def ended(tenant: Tenant) -> Ended:
    """How many requests ended how, by version and outcome, over all time and by hour alike."""
    TALLIES.flush()
    with tenant_scope(tenant):
        found = list(RequestTally.objects.values_list("number", "outcome", "count", "begins"))
    ever = {(number, outcome): count for number, outcome, count, begins in found if begins == ALL_TIME}
    hours: Ended = {}
    for number, outcome, count, begins in found:
        if begins != ALL_TIME:
            hours[number, outcome] = hours.get((number, outcome), 0) + count
    assert hours == ever
    return ever


def test_answers_of_both_ways_are_counted_for_their_version(
    client: APIClient, champion: ModelVersion
) -> None:
    [row] = rows_of(champion)
    assert post(client, {"row": row}).status_code == 200
    assert post(client, {"row": row}, HTTP_ACCEPT="application/json, */*").status_code == 200
    assert ended(champion.tenant) == {(1, "answered"): 2}
    assert (
        post(client, {"dataframe_records": [row]}, PREDICT.replace("predict", "invocations")).status_code
        == 200
    )
    assert ended(champion.tenant) == {(1, "answered"): 3}


def test_times_are_counted_on_bounds(client: APIClient, champion: ModelVersion) -> None:
    post(client, {"row": rows_of(champion)[0]})
    TALLIES.flush()
    with tenant_scope(champion.tenant):
        row = RequestTally.objects.get(begins=ALL_TIME)
    assert sum(row.within) == row.count == 1
    assert 0 < row.seconds < 60


def test_refused_requests_are_counted_by_why(
    client: APIClient, champion: ModelVersion, api_for: ApiFor
) -> None:
    assert post(client, {"row": {"no_such": 1}}).status_code == 422
    assert post(client, {"rows": 5}).status_code == 400
    assert post(client, {"row": rows_of(champion)[0], "version": 9}).status_code == 404
    assert post(api_for(champion.tenant, "read"), {"row": rows_of(champion)[0]}).status_code == 403
    found = ended(champion.tenant)
    assert found == {(1, "invalid"): 1, (0, "invalid"): 2, (0, "denied"): 1}


def test_requests_over_a_limit_are_counted_however_early_they_are_refused(
    client: APIClient, champion: ModelVersion, settings: Settings
) -> None:
    settings.LIMITS = settings.LIMITS | {"requests_per_minute": 1}
    requests.forget_full_counters()
    leases.forget_leases()
    body = {"row": rows_of(champion)[0]}
    statuses = [post(client, body).status_code for _ in range(5)]
    throttled = statuses.count(429)
    assert throttled >= 3
    assert ended(champion.tenant)[0, "throttled"] == throttled


def test_names_that_are_nobodys_model_are_not_kept(client: APIClient, champion: ModelVersion) -> None:
    assert post(client, {"row": {}}, PREDICT.replace("cancer", "nothing")).status_code == 404
    assert ended(champion.tenant) == {}


def test_a_request_of_nobody_is_counted_for_nobody(champion: ModelVersion) -> None:
    assert post(APIClient(), {"row": {}}).status_code == 401
    assert ended(champion.tenant) == {}


def damage(version: ModelVersion) -> None:
    """Write something else where the version's files are."""
    for name in filter(None, (version.artifact_file, version.twin_file)):
        Path(default_storage.path(name)).write_bytes(b"damaged")
    CACHE.clear()


def test_an_earlier_version_that_stands_in_is_held_against_the_one_asked(
    client: APIClient, champion: ModelVersion
) -> None:
    with tenant_scope(champion.tenant):
        second = make_version(champion.model, dataset=make_dataset(frame=table().head(300)))
        promote(model=champion.model, version=second, by=SYSTEM, reason="newer", override=True)
    damage(second)
    answer = post(client, {"row": rows_of(champion)[0]})
    assert (answer.status_code, answer.json()["instead_of"]) == (200, 2)
    assert ended(champion.tenant) == {(2, "stood_in"): 1}


def test_a_version_whose_file_is_damaged_fails(client: APIClient, champion: ModelVersion) -> None:
    damage(champion)
    assert post(client, {"row": rows_of(champion)[0]}).status_code == 503
    assert ended(champion.tenant) == {(1, "failed"): 1}


def broken(*args: Any, **kwargs: Any) -> Any:
    raise ZeroDivisionError("a bug")


def test_a_bug_of_the_short_way_is_answered_logged_and_counted(
    client: APIClient, champion: ModelVersion, caplog: pytest.LogCaptureFixture
) -> None:
    with mock.patch("registry.api.predict_now.answered", broken):
        answer = post(client, {"row": rows_of(champion)[0]}, HTTP_X_REQUEST_ID="request-0001")
    assert answer.status_code == 500
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "internal_error"
    assert answer.json()["request_id"] == answer["X-Request-ID"] == "request-0001"
    assert "ZeroDivisionError" in caplog.text
    assert ended(champion.tenant) == {(1, "failed"): 1}


def test_a_bug_of_the_long_way_is_counted(client: APIClient, champion: ModelVersion) -> None:
    client.raise_request_exception = False
    with mock.patch("registry.services.serving.answered", broken):
        answer = post(client, {"row": rows_of(champion)[0]}, HTTP_ACCEPT="application/json, */*")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert ended(champion.tenant) == {(1, "failed"): 1}


@pytest.fixture
def ask_server(client: APIClient) -> Callable[[Any], tuple[str, dict[str, str], dict[str, Any]]]:
    """Ask as the web server does, which calls what stands before Django."""

    def nothing(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        raise AssertionError("the short way passed it on")

    def ask(body: Any) -> tuple[str, dict[str, str], dict[str, Any]]:
        content = json.dumps(body).encode()
        key = client._credentials["HTTP_AUTHORIZATION"]  # type: ignore[attr-defined]  # as the client sends it
        request = RequestFactory(HTTP_AUTHORIZATION=key).post(PREDICT, content, "application/json")
        environ = {**request.META, "wsgi.input": BytesIO(content)}
        head: list[Any] = []
        # The test's own connection holds its transaction.
        with mock.patch("registry.api.quick.close_old_connections"):
            [told] = quick_answers(nothing)(environ, lambda *given: head.extend(given))
        return head[0], dict(head[1]), json.loads(told)

    return ask


def test_the_server_is_given_a_bug_as_a_problem_document(
    champion: ModelVersion, ask_server: Callable[[Any], tuple[str, dict[str, str], dict[str, Any]]]
) -> None:
    body = {"row": rows_of(champion)[0]}
    assert ask_server(body)[0] == "200 OK"
    with mock.patch("registry.api.predict_now.answered", broken):
        status, headers, told = ask_server(body)
    assert status == "500 Internal Server Error"
    assert headers["Content-Type"] == "application/problem+json"
    assert told["request_id"] == headers["X-Request-ID"]
    assert ended(champion.tenant) == {(1, "answered"): 1, (1, "failed"): 1}
