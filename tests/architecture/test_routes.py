"""Every route of the API, walked as nobody, as a stranger, and with too small a role.

``POLICY`` states what each route needs. A route that is not in it fails the walk, and so does an entry
whose route is gone or whose view demands something else.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from mlplatform.addresses import is_for_programs, speaks_open_inference
from mlplatform.tenancy.models import Scope, Tenant
from tests.isolation.addresses import addresses
from tests.isolation.policy import stated
from tests.world import populate

ApiFor = Callable[..., APIClient]
PUBLIC, SIGNED_IN, MEMBER, KEY = "public", "signed in", "member", "api key"
CANARY = "canary-of-the-clinic"

POLICY: dict[str, str] = {
    "GET whoami": MEMBER,
    "POST tokens": KEY,
    "GET schema/": SIGNED_IN,
    "GET docs/": SIGNED_IN,
    "GET health/live": PUBLIC,
    "GET health/ready": PUBLIC,
    "GET system/metrics": "view",
    "GET system/status": "view",
    "GET tenant": "view",
    "PATCH tenant": "admin",
    "GET limits": "admin",
    "GET members": "admin",
    "POST members": "admin",
    "GET members/{pk}": "admin",
    "PATCH members/{pk}": "admin",
    "DELETE members/{pk}": "admin",
    "POST members/{pk}/unlock": "admin",
    "GET teams": "admin",
    "POST teams": "admin",
    "GET teams/{pk}": "admin",
    "PATCH teams/{pk}": "admin",
    "DELETE teams/{pk}": "admin",
    "GET models/{name}/grants": "admin",
    "POST models/{name}/grants": "admin",
    "DELETE models/{name}/grants/{pk}": "admin",
    "GET api-keys": "admin",
    "POST api-keys": "admin",
    "GET api-keys/{pk}": "admin",
    "PATCH api-keys/{pk}": "admin",
    "POST api-keys/{pk}/revoke": "admin",
    "POST api-keys/{pk}/rotate": "admin",
    "GET audit": "admin",
    "GET audit/export": "admin",
    "GET models": "view",
    "POST models": "train",
    "GET models/{name}": "view",
    "PATCH models/{name}": "train",
    "PATCH models/{name}/columns": "train",
    "POST models/import": "train",
    "GET models/{name}/export": "train",
    "POST models/{name}/versions/import": "train",
    "GET models/{name}/versions/{number}/export": "train",
    "GET models/{name}/versions": "view",
    "GET models/{name}/versions/{number}": "view",
    "GET models/{name}/versions/{number}/evaluation": "view",
    "GET models/{name}/versions/{number}/report": "view",
    "GET models/{name}/card": "view",
    "PATCH models/{name}/card": "train",
    "GET models/{name}/versions/{number}/card": "view",
    "PATCH models/{name}/versions/{number}/card": "train",
    "GET models/{name}/versions/{number}/lineage": "view",
    "GET models/{name}/deployments/{pk}/lineage": "view",
    "GET datasets/{pk}/lineage": "view",
    "GET jobs/{pk}/lineage": "view",
    "GET sources/{pk}/lineage": "view",
    "PATCH models/{name}/versions/{number}/tags": "train",
    "PATCH models/{name}/tags": "train",
    "GET models/{name}/aliases": "view",
    "PUT models/{name}/aliases/{alias}": "deploy",
    "DELETE models/{name}/aliases/{alias}": "deploy",
    "GET models/{name}/best": "view",
    "GET models/{name}/champion": "view",
    "GET versions": "view",
    "GET models/{name}/gates": "view",
    "PUT models/{name}/gates": "approve",
    "GET models/{name}/gates/{number}": "view",
    "POST models/{name}/requests": "train",
    "GET promotion-requests": "view",
    "GET promotion-requests/{pk}": "view",
    "POST promotion-requests/{pk}/approve": "approve",
    "POST promotion-requests/{pk}/reject": "approve",
    "POST promotion-requests/{pk}/withdraw": "train",
    "POST promotion-requests/{pk}/comments": "train",
    "GET models/{name}/rollouts": "view",
    "POST models/{name}/rollouts": "deploy",
    "GET models/{name}/rollouts/{pk}": "view",
    "POST models/{name}/rollouts/{pk}/ramp": "deploy",
    "POST models/{name}/rollouts/{pk}/pause": "deploy",
    "POST models/{name}/rollouts/{pk}/resume": "deploy",
    "POST models/{name}/rollouts/{pk}/stop": "deploy",
    "POST models/{name}/rollouts/{pk}/promote": "deploy",
    "POST models/{name}/rollouts/{pk}/weigh": "monitor",
    "POST models/{name}/promote": "deploy",
    "POST models/{name}/rollback": "deploy",
    "POST models/{name}/check-data": "train",
    "POST models/{name}/suggest-algorithms": "train",
    "POST models/{name}/compare-reference": "train",
    "GET models/{name}/deployments": "view",
    "POST models/{name}/predict": "predict",
    "POST models/{name}/invocations": "predict",
    "GET models/{name}/ping": "predict",
    "GET models/{name}/health": "predict",
    "GET models/{name}/version": "predict",
    "GET mlflow/api/2.0/endpoints/": "view",
    "GET mlflow/api/2.0/endpoints/{name}": "predict",
    "POST mlflow/endpoints/{name}/invocations": "predict",
    "GET v2": PUBLIC,
    "GET v2/health/live": PUBLIC,
    "GET v2/health/ready": PUBLIC,
    "GET v2/models/{name}": "predict",
    "GET v2/models/{name}/ready": "predict",
    "POST v2/models/{name}/infer": "predict",
    "GET v2/models/{name}/versions/{version}": "predict",
    "GET v2/models/{name}/versions/{version}/ready": "predict",
    "POST v2/models/{name}/versions/{version}/infer": "predict",
    "POST models/{name}/explain": "predict",
    "GET models/{name}/retention": "view",
    "PUT models/{name}/retention": "admin",
    "GET retention": "view",
    "PUT retention": "admin",
    "GET retention/preview": "admin",
    "POST retention/run": "admin",
    "GET predictions": "view",
    "GET predictions/{pk}": "view",
    "GET datasets": "view",
    "POST datasets": "data",
    "GET datasets/{pk}": "view",
    "PATCH datasets/{pk}/columns": "data",
    "GET datasets/{pk}/difference": "view",
    "PATCH datasets/{pk}/schema": "data",
    "POST datasets/{pk}/anonymity": "data",
    "POST datasets/{pk}/anonymised": "data",
    "GET sources": "view",
    "POST sources": "data",
    "POST sources/try": "data",
    "GET sources/{pk}": "view",
    "PATCH sources/{pk}": "data",
    "DELETE sources/{pk}": "data",
    "POST sources/{pk}/preview": "data",
    "POST sources/{pk}/snapshot": "data",
    "GET models/{name}/batches": "view",
    "POST models/{name}/batches": "predict",
    "GET models/{name}/batches/{pk}": "view",
    "POST models/{name}/batches/{pk}/cancel": "predict",
    "GET models/{name}/batches/{pk}/download": "predict",
    "GET models/{name}/batches/{pk}/errors": "predict",
    "GET compare": "view",
    "GET algorithms": "view",
    "GET jobs": "view",
    "POST jobs": "train",
    "GET jobs/{pk}": "view",
    "POST jobs/{pk}/cancel": "train",
    "POST jobs/{pk}/retry": "train",
    "POST jobs/{pk}/clone": "train",
    "PUT jobs/{pk}/priority": "train",
    "POST models/{name}/retrain": "train",
    "POST train-all": "train",
    "POST models/{name}/versions/{number}/reproduce": "train",
    "POST models/{name}/versions/{number}/twin": "train",
    "GET jobs/{pk}/log": "view",
    "GET schedules": "view",
    "POST schedules": "monitor",
    "GET schedules/{pk}": "view",
    "PATCH schedules/{pk}": "monitor",
    "DELETE schedules/{pk}": "monitor",
    "POST schedules/{pk}/pause": "monitor",
    "POST schedules/{pk}/resume": "monitor",
    "POST schedules/{pk}/run": "train",
    "GET held-outcomes": "view",
    "GET held-outcomes/counts": "view",
    "GET ratings": "view",
    "GET models/{name}/labelling-queue": "view",
    "POST models/{name}/labels": "feedback",
    "GET models/{name}/label-agreement": "view",
    "GET models/{name}/feedback-settings": "view",
    "PUT models/{name}/feedback-settings": "approve",
    "GET labelled": "view",
    "GET labelled/{pk}": "view",
    "POST labelled/{pk}/decide": "feedback",
    "GET quarantines": "view",
    "GET quarantines/{pk}": "view",
    "POST quarantines/{pk}/release": "approve",
    "POST quarantines/{pk}/reject": "approve",
    "POST models/{name}/past-predictions": "feedback",
    "GET outcomes": "view",
    "POST outcomes": "feedback",
    "POST outcomes/bulk": "feedback",
    "GET models/{name}/label-delay": "view",
    "GET outcomes/{pk}": "view",
    "POST subjects/search": "admin",
    "POST subjects/export": "admin",
    "GET erasures": "admin",
    "POST erasures": "admin",
    "GET erasures/{pk}": "admin",
    "POST models/{name}/checks": "monitor",
    "GET models/{name}/rollback-check": "view",
    "POST models/{name}/rollback-check": "deploy",
    "POST models/{name}/treat-log": "admin",
    "GET models/{name}/performance": "view",
    "GET models/{name}/quality": "view",
    "GET models/{name}/calibration": "view",
    "GET models/{name}/data-quality": "view",
    "GET models/{name}/fairness": "view",
    "GET models/{name}/service": "view",
    "GET models/{name}/usage": "view",
    "GET models/{name}/slices": "view",
    "PUT models/{name}/slices": "monitor",
    "GET models/{name}/report": "view",
    "GET report": "admin",
    "GET report-schedules": "admin",
    "POST report-schedules": "admin",
    "GET report-schedules/{pk}": "admin",
    "PATCH report-schedules/{pk}": "admin",
    "DELETE report-schedules/{pk}": "admin",
    "POST report-schedules/{pk}/send": "admin",
    "GET usage": "view",
    "GET models/{name}/shadows": "view",
    "GET models/{name}/drift": "view",
    "GET models/{name}/drift-over-period": "view",
    "GET models/{name}/drift-settings": "view",
    "PUT models/{name}/drift-settings": "monitor",
    "GET models/{name}/policy": "view",
    "PUT models/{name}/policy": "monitor",
    "GET models/{name}/policy/preview": "view",
    "GET alerts": "view",
    "GET alerts/{pk}": "view",
    "POST alerts/{pk}/acknowledge": "monitor",
    "POST alerts/{pk}/resolve": "monitor",
    "POST alerts/{pk}/snooze": "monitor",
    "POST alerts/{pk}/wake": "monitor",
    "POST alerts/{pk}/assign": "monitor",
    "GET alert-rules": "view",
    "POST alert-rules": "monitor",
    "GET alert-rules/{pk}": "view",
    "PATCH alert-rules/{pk}": "monitor",
    "DELETE alert-rules/{pk}": "monitor",
    "GET channels": "admin",
    "POST channels": "admin",
    "GET channels/{pk}": "admin",
    "PATCH channels/{pk}": "admin",
    "DELETE channels/{pk}": "admin",
    "POST channels/{pk}/test": "admin",
    "GET deliveries": "admin",
    "GET deliveries/{pk}": "admin",
    "POST deliveries/{pk}/resend": "admin",
    "GET drift-reports": "view",
    "GET drift-reports/{pk}": "view",
    "GET performance-snapshots": "view",
    "GET performance-snapshots/{pk}": "view",
    "GET decisions": "view",
    "GET decisions/{pk}": "view",
    "GET decisions/{pk}/chain": "view",
}
SCOPE_OF = {
    "view": Scope.READ,
    "predict": Scope.PREDICT,
    "feedback": Scope.FEEDBACK,
    "train": Scope.TRAIN,
    "data": Scope.TRAIN,
    "deploy": Scope.DEPLOY,
    "approve": Scope.DEPLOY,
    "monitor": Scope.DEPLOY,
    "admin": Scope.ADMIN,
}
NO_UUID, NO_NUMBER = "01a1fd38-0000-7000-8000-000000000000", "999999"
WRITES = ("POST", "PUT", "PATCH", "DELETE")
OF_AN_OBJECT = [route for route in POLICY if "{" in route]


def patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern, prefix + str(pattern.pattern))
        else:
            yield prefix + str(pattern.pattern), pattern


def routes() -> dict[str, str | None]:
    """Return what each view for programs demands, by method and path, without /api/v1/ where that leads."""
    found: dict[str, str | None] = {}
    for raw, pattern in patterns(get_resolver()):
        if not is_for_programs(f"/{raw}"):
            continue
        below = raw.removeprefix("api/v1/")
        path = re.sub(r"\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>", lambda m: f"{{{m[1] or m[2]}}}", below)
        view: Any = getattr(pattern.callback, "cls", None)
        actions = getattr(pattern.callback, "actions", None) or {
            method: method for method in ("get", "post", "put", "patch", "delete") if hasattr(view, method)
        }
        for method, action in actions.items():
            if method == "head":  # a twin of get
                continue
            capability = getattr(view, "capabilities", {}).get(action)
            found[f"{method.upper()} {path.strip('^$')}"] = capability and str(capability)
    return found


# Routes that answer a question alone, not without one: their own tests ask it.
ON_A_QUESTION = {"GET compare"}


def full(path: str) -> str:
    """Return the whole address of a path that a route names."""
    return f"/{path}" if speaks_open_inference(f"/{path}") else f"/api/v1/{path}"


def send(client: APIClient, route: str, rows: dict[str, Any], missing: bool = False) -> HttpResponse:
    """Send the route's request for the rows' objects, or for objects that do not exist."""
    method, _, path = route.partition(" ")
    of = path.partition("/{pk}")[0].rpartition("/")[2]
    row = None if missing else rows.get(of)
    nothing = NO_UUID if of == "predictions" else NO_NUMBER
    path = path.replace("{pk}", nothing if row is None else str(row.pk))
    path = path.replace("{name}", "no-such-model" if missing else CANARY).replace("{number}", "1")
    answer = client.generic(
        method, full(path.replace("{version}", "1")), "{}" if method in WRITES else "", "application/json"
    )
    list(answer)  # a file that is sent is closed once it was read
    return answer


def told(response: HttpResponse, *names: object) -> tuple[int, str]:
    """Return status and body, without what differs by nature: request id and the id that was asked for."""
    body = re.sub(r'"request_id":"[^"]*"', "", response.content.decode())
    for name in names:
        body = re.sub(rf"\b{re.escape(str(name))}\b", "?", body)
    return response.status_code, body


def test_every_route_has_a_stated_policy_and_keeps_it() -> None:
    stated = {
        route: None if policy == PUBLIC or route in {"GET schema/", "GET docs/"} else policy
        for route, policy in POLICY.items()
    }
    found = routes()
    for route in ("GET whoami", "POST tokens"):  # any principal may ask about itself
        stated[route] = found[route]
    assert found == stated


def test_every_page_outside_the_api_has_a_stated_policy() -> None:
    """The crawler of ``tests/isolation`` holds every page against it, for every kind of principal."""
    pages = {address.path for address in addresses() if not address.of_api}
    assert pages == set(stated())


@pytest.mark.parametrize("route", POLICY)
def test_nobody_gets_in_without_signing_in(route: str, tenant: Tenant) -> None:
    answer = send(APIClient(), route, {})
    assert answer.status_code == (200 if POLICY[route] == PUBLIC else 401)


def test_stranger_cannot_tell_a_foreign_object_from_a_missing_one(
    tenant: Tenant, other_tenant: Tenant, api_for: ApiFor
) -> None:
    rows = populate(tenant, CANARY)
    stranger = api_for(other_tenant)
    for route in OF_AN_OBJECT:
        row = rows.get(route.partition(" ")[2].partition("/{pk}")[0].rpartition("/")[2])
        foreign = send(stranger, route, rows)
        absent = send(stranger, route, rows, missing=True)
        # A body that is wrong in itself may be refused before anything is looked up.
        assert foreign.status_code == 404 or (absent.status_code == 400 and route.startswith(WRITES)), route
        asked = [CANARY, *([row.pk] if row is not None else [])]
        assert told(foreign, *asked) == told(absent, "no-such-model", NO_NUMBER, NO_UUID), route


def test_stranger_finds_nothing_in_any_list(tenant: Tenant, other_tenant: Tenant, api_for: ApiFor) -> None:
    populate(tenant, CANARY)
    stranger = api_for(other_tenant)
    for route in POLICY:
        if route.startswith("GET") and "{" not in route and route not in ON_A_QUESTION:
            answer = send(stranger, route, {})
            assert answer.status_code == 200, route
            assert CANARY not in b"".join(answer).decode(), route


def test_owner_reads_everything(tenant: Tenant, api_for: ApiFor) -> None:
    rows = populate(tenant, CANARY)
    owner = api_for(tenant)
    for route in POLICY:
        if route.startswith("GET") and route not in ON_A_QUESTION:
            assert send(owner, route, rows).status_code == 200, route


def test_key_without_the_scope_is_refused_whatever_it_sends(tenant: Tenant, api_for: ApiFor) -> None:
    rows = populate(tenant, CANARY)
    for route, policy in POLICY.items():
        if policy not in SCOPE_OF:
            continue
        others = [scope for scope in Scope.values if scope != SCOPE_OF[policy]]
        answer = send(api_for(tenant, *others), route, rows)
        assert answer.status_code == 403, route
        assert (b'"error":"' if "v2/" in route else b'"code":"permission_denied"') in answer.content


def test_reader_changes_nothing(tenant: Tenant, api_for: ApiFor) -> None:
    rows = populate(tenant, CANARY)
    reader = api_for(tenant, Scope.READ)
    for route in POLICY:
        if route.startswith(WRITES) and POLICY[route] != KEY:
            assert send(reader, route, rows).status_code == 403, route


def test_no_write_with_an_empty_body_is_a_server_error(tenant: Tenant, api_for: ApiFor) -> None:
    rows = populate(tenant, CANARY)
    owner = api_for(tenant)
    for route in POLICY:
        if route.startswith(("POST", "PUT", "PATCH")):
            assert send(owner, route, rows).status_code < 500, route


@pytest.mark.parametrize("route", [route for route in POLICY if route.startswith("GET")])
def test_other_methods_and_twin_addresses_are_no_way_round(
    route: str, tenant: Tenant, other_tenant: Tenant, api_for: ApiFor
) -> None:
    nothing = NO_UUID if "predictions/" in route else "1"
    path = full(route[4:]).replace("{pk}", nothing).replace("{name}", CANARY).replace("{number}", "1")
    path = path.replace("{version}", "1")
    nobody = APIClient()
    for address in (f"{path}.json", f"{path}//", f"/api/v3{path}"):
        # 401 where the rest of the address is a name: whether it exists stays unsaid.
        named = address.endswith(".json") and route.endswith(("{name}", "{version}", "endpoints/"))
        assert nobody.get(address).status_code == (401 if named else 404), address
    if POLICY[route] != PUBLIC:
        assert nobody.head(path).status_code == 401
        assert nobody.options(path).status_code == 401
        overridden = nobody.post(path, headers={"X-HTTP-Method-Override": "GET"})
        assert overridden.status_code in {401, 403, 405}
