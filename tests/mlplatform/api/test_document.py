"""The OpenAPI document as it is served; what it says is held against the answers in tests/isolation."""

import json

import pytest
import yaml

from mlplatform.api.document import document
from mlplatform.tenancy.models import Role, Tenant
from tests.conftest import ApiFor, ConsoleFor

ADDRESS = "/api/v1/schema/"


@pytest.mark.parametrize(
    ("accepted", "kind", "name"),
    [
        ("*/*", "application/vnd.oai.openapi; charset=utf-8", "ML platform API.yaml"),
        ("application/yaml", "application/yaml; charset=utf-8", "ML platform API.yaml"),
        ("application/json", "application/json", "ML platform API.json"),
        ("application/vnd.oai.openapi+json", "application/vnd.oai.openapi+json", "ML platform API.json"),
    ],
)
def test_it_comes_in_the_form_that_is_asked_for(
    tenant: Tenant, api_for: ApiFor, accepted: str, kind: str, name: str
) -> None:
    answer = api_for(tenant, "read").get(ADDRESS, headers={"Accept": accepted})
    assert (answer.status_code, answer["Content-Type"]) == (200, kind)
    assert answer["Content-Disposition"] == f'inline; filename="{name}"'
    told = json.loads(answer.content) if "json" in kind else yaml.load(answer.content, yaml.CSafeLoader)
    assert told["openapi"].startswith("3.")
    assert set(told["paths"]) == set(document()["paths"])


def test_it_is_made_once_and_is_the_same_for_everybody(
    tenant: Tenant, api_for: ApiFor, console_for: ConsoleFor
) -> None:
    first = api_for(tenant, "read").get(ADDRESS)
    made = document.cache_info().misses
    other = console_for(tenant, Role.ADMIN).get(f"{ADDRESS}?version=7&lang=de")
    assert other.content == first.content
    assert document.cache_info().misses == made
