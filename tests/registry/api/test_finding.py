"""Finding versions over REST, in the console and by commands."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from rest_framework.test import APIClient

from mlplatform.admin.links import command_url, list_url, page_url
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import ModelVersion
from registry.services.tags import change_tags
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_champion

API = "/api/v1"


@pytest.fixture
def version(tenant: Tenant) -> ModelVersion:
    with tenant_scope(tenant), tenant_transaction():
        return make_champion(metrics={"f1": 0.9})


@pytest.fixture
def api(version: ModelVersion, tenant: Tenant, api_for: ApiFor) -> APIClient:
    return api_for(tenant, "read", "train")


@pytest.fixture
def console(version: ModelVersion, tenant: Tenant, console_for: ConsoleFor) -> Client:
    return console_for(tenant)


def run(command: str, *options: str) -> Any:
    out = StringIO()
    call_command(command, "--tenant", "clinic", "--json", *options, stdout=out)
    return json.loads(out.getvalue())


def test_versions_are_found_by_a_search(api: APIClient) -> None:
    found = api.get(f"{API}/versions", {"q": "metrics.f1 > 0.8 and champion = true"}).json()["results"]
    assert [(one["model"], one["number"], one["is_champion"]) for one in found] == [("cancer", 1, True)]
    assert api.get(f"{API}/versions", {"q": "metrics.f1 > 0.95"}).json()["results"] == []
    refused = api.get(f"{API}/versions", {"q": "metrics.f1 >"})
    assert refused.status_code == 422
    assert "the search ends" in refused.json()["detail"]


def test_tags_are_written_and_searched_for(api: APIClient) -> None:
    answer = api.patch(f"{API}/models/cancer/versions/1/tags", {"tags": {"team": "risk"}})
    assert answer.json() == {"tags": {"team": "risk"}}
    assert api.patch(f"{API}/models/cancer/tags", {"tags": {"site": "north"}}).status_code == 200
    assert api.get(f"{API}/models/cancer").json()["tags"] == {"site": "north"}
    assert len(api.get(f"{API}/versions", {"q": 'tags.team = "risk"'}).json()["results"]) == 1
    assert api.patch(f"{API}/models/cancer/tags", {"tags": {"no name": "x"}}).status_code == 422


def test_the_best_version_and_the_champion_of_a_time(api: APIClient, version: ModelVersion) -> None:
    assert api.get(f"{API}/models/cancer/best", {"metric": "f1"}).json()["number"] == 1
    assert api.get(f"{API}/models/cancer/best", {"metric": "x"}).status_code == 422
    now = api.get(f"{API}/models/cancer/champion").json()
    assert (now["version"], now["reason"]) == (1, "first")
    assert api.get(f"{API}/models/cancer/champion", {"at": "2001-01-01T00:00:00Z"}).status_code == 404
    assert api.get(f"{API}/models/cancer/champion", {"at": "then"}).status_code == 400


def test_the_console_finds_by_a_search_and_says_what_is_wrong_with_one(console: Client) -> None:
    versions = list_url("registry.modelversion")
    assert "cancer v1" in console.get(versions, {"q": "metrics.f1 > 0.8"}).content.decode()
    assert "cancer v1" in console.get(versions, {"q": "cancer"}).content.decode()
    assert "cancer v1" not in console.get(versions, {"q": "metrics.f1 < 0.8"}).content.decode()
    assert "the search ends" in console.get(versions, {"q": "metrics.f1 >"}).content.decode()


def test_the_console_writes_tags(console: Client, version: ModelVersion) -> None:
    address = command_url(version, "tags")
    console.post(address, {"tags": "team = risk\nreviewed = yes"})
    assert "team = risk" in console.get(page_url(version)).content.decode()
    console.post(address, {"tags": "team = risk"})
    with tenant_scope(version.tenant):
        assert ModelVersion.objects.get().tags == {"team": "risk"}
    assert "has no value" in console.post(address, {"tags": "team"}).content.decode()


def test_the_console_tells_what_ran_when(console: Client, version: ModelVersion) -> None:
    address = command_url(version.model, "past")
    then = console.post(address, {"at_0": "2100-01-01", "at_1": "12:00"}).content.decode()
    assert "cancer v1" in then
    assert "first" in then
    before = console.post(address, {"at_0": "2001-01-01", "at_1": "12:00"}).content.decode()
    assert "Nothing was champion of cancer" in before


def test_commands_find_tag_and_tell(version: ModelVersion) -> None:
    assert run("tag", "--model", "cancer", "--version-number", "1", "team=risk")["tags"] == {"team": "risk"}
    assert [one["version"] for one in run("find_versions", "--query", 'tags.team = "risk"')] == [1]
    assert run("tag", "--model", "cancer", "--version-number", "1", "team=")["tags"] == {}
    told = run("champion", "--model", "cancer", "--metric", "f1")
    assert (told["champion"], told["reason"], told["best"]) == (1, "first", 1)
    with pytest.raises(CommandError, match="no time with a zone"):
        run("champion", "--model", "cancer", "--at", "yesterday")
    with pytest.raises(CommandError, match="Write NAME=VALUE"):
        run("tag", "--model", "cancer", "team")


def test_what_a_viewer_may_read_they_may_not_write(
    version: ModelVersion, tenant: Tenant, api_for: ApiFor
) -> None:
    reader = api_for(tenant, "read")
    assert reader.get(f"{API}/versions").status_code == 200
    assert reader.patch(f"{API}/models/cancer/tags", {"tags": {}}).status_code == 403


def test_another_tenants_tags_are_out_of_reach(
    version: ModelVersion, other_tenant: Tenant, api_for: ApiFor
) -> None:
    with tenant_scope(version.tenant):
        change_tags(target=version, changes={"team": "risk"}, by=SYSTEM)
    stranger = api_for(other_tenant)
    assert stranger.get(f"{API}/versions", {"q": 'tags.team = "risk"'}).json()["results"] == []
    assert stranger.patch(f"{API}/models/cancer/tags", {"tags": {}}).status_code == 404
