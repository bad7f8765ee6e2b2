"""Model cards through the API, the console and the command."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.test import Client
from rest_framework.test import APIClient

from mlplatform.admin.links import command_url, page_url
from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import ModelVersion
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_champion

CARD, OF_MODEL = "/api/v1/models/cancer/versions/1/card", "/api/v1/models/cancer/card"
EVIL = "<script>alert(1)</script> [here](javascript:alert(1))"


@pytest.fixture
def version(tenant: Tenant) -> Iterator[ModelVersion]:
    with tenant_scope(tenant), tenant_transaction():
        yield make_champion()


@pytest.fixture
def client(version: ModelVersion, tenant: Tenant, api_for: ApiFor) -> APIClient:
    return api_for(tenant)


@pytest.fixture
def console(version: ModelVersion, tenant: Tenant, console_for: ConsoleFor) -> Client:
    return console_for(tenant, Role.ANALYST)


def test_words_are_written_for_all_versions_and_for_one(client: APIClient) -> None:
    assert "limits" in client.get(OF_MODEL).json()["missing"]
    body = client.patch(OF_MODEL, {"words": {"limits": "Adults.", "contact": "Ann"}}).json()
    assert (body["words"]["limits"]["text"], body["words"]["limits"]["of"]) == ("Adults.", "model")
    assert body["words"]["limits"]["by"].endswith("test")
    own = client.patch(CARD, {"words": {"limits": "Adults, not in winter."}}).json()
    assert (own["version"], own["words"]["limits"]["of"], own["words"]["contact"]["of"]) == (
        1,
        "version",
        "model",
    )
    back = client.patch(CARD, {"words": {"limits": None}}).json()
    assert (back["words"]["limits"]["text"], back["words"]["limits"]["of"]) == ("Adults.", "model")


@pytest.mark.parametrize(
    "words", [{"colour": "blue"}, {"limits": "a\x01b"}, {}, {"limits": ["a"]}, {"limits": "x" * 6000}, None]
)
def test_wrong_words_are_refused(client: APIClient, words: Any) -> None:
    answer = client.patch(CARD, {"words": words})
    assert answer.status_code in {400, 422}
    assert answer.json()["errors"]
    assert client.get(CARD).json()["words"]["limits"]["of"] == "nobody"


def test_the_card_comes_in_the_form_that_is_asked_for(client: APIClient) -> None:
    told = client.get(CARD).json()
    assert told["metadata"]["model-index"][0]["name"] == "cancer"
    markdown = client.get(CARD, headers={"Accept": "text/markdown"})
    assert markdown["Content-Type"] == "text/markdown; charset=utf-8"
    assert 'filename="cancer-v1-card.md"' in markdown["Content-Disposition"]
    front = yaml.safe_load(markdown.content.decode().split("---\n")[1])
    assert front == told["metadata"]
    page = client.get(CARD, {"format": "html"})
    assert page["Content-Type"] == "text/html; charset=utf-8"
    assert b"<h1>cancer v1</h1>" in page.content


def test_a_form_that_there_is_not_is_refused_with_those_there_are(client: APIClient) -> None:
    answer = client.get(CARD, {"format": "docx"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_card")
    assert "json, markdown, html" in answer.json()["detail"]
    assert client.get(CARD, headers={"Accept": "image/png"}).status_code == 406


@pytest.mark.parametrize("form", ["json", "markdown", "html"])
def test_what_is_not_there_is_a_problem_document_in_every_form(client: APIClient, form: str) -> None:
    answer = client.get(CARD.replace("/1/", "/9/"), {"format": form})
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert json.loads(answer.content)["code"] == "version_not_found"


def test_nobody_smuggles_markup_into_a_card(
    client: APIClient, console: Client, version: ModelVersion
) -> None:
    client.patch(OF_MODEL, {"words": {"purpose": EVIL, "licence": EVIL}})
    for page in (client.get(CARD, {"format": "html"}), console.get(command_url(version, "card"))):
        assert b"<script>alert" not in page.content
        assert b"&lt;script&gt;alert" in page.content
    markdown = client.get(CARD, {"format": "markdown"}).content.decode()
    assert "[here]" not in markdown.partition("\n---\n")[2]


def test_the_console_shows_the_card_sends_it_and_takes_words(console: Client, version: ModelVersion) -> None:
    assert command_url(version, "card") in console.get(page_url(version)).content.decode()
    page = console.get(command_url(version, "card")).content.decode()
    assert "cancer v1" in page
    assert "nobody has written this yet" in page
    for form, media_type in (("markdown", "text/markdown"), ("html", "text/html")):
        sent = console.get(command_url(version, "card"), {"as": form})
        assert sent["Content-Type"] == f"{media_type}; charset=utf-8"
        assert sent["Content-Disposition"].startswith("attachment")
    saved = console.post(command_url(version.model, "words"), {"limits": "Adults alone."})
    assert (saved.status_code, saved["Location"]) == (302, page_url(version.model))
    assert "Adults alone." in console.get(command_url(version, "card")).content.decode()
    own = console.post(command_url(version, "words"), {"limits": "Not in winter."})
    assert own["Location"] == command_url(version, "card")
    assert "Not in winter." in console.get(command_url(version, "words")).content.decode()


def test_a_viewer_reads_the_card_and_writes_nothing(
    tenant: Tenant, version: ModelVersion, console_for: ConsoleFor
) -> None:
    viewer = console_for(tenant, Role.VIEWER)
    page = viewer.get(command_url(version, "card"))
    assert page.status_code == 200
    assert command_url(version, "words") not in page.content.decode()
    assert viewer.get(command_url(version, "words")).status_code == 403


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("model_card", "--tenant", "clinic", "--model", "cancer", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_prints_writes_and_takes_words(version: ModelVersion, tmp_path: Path) -> None:
    assert run().startswith("---\nlibrary_name: sklearn\n")
    told = json.loads(run("--set", "limits=Adults = 18 and older", "--set", "contact=Ann", "--json"))
    assert {one["section"]: one["text"] for one in told if one["text"]} == {
        "limits": "Adults = 18 and older",
        "contact": "Ann",
    }
    own = json.loads(run("--number", "1", "--set", "ethics=None.", "--json"))
    assert {one["section"]: one["of"] for one in own}["ethics"] == "version"
    file = tmp_path / "card.html"
    run("--number", "1", "--format", "html", "--output", str(file))
    assert "Adults = 18 and older" in file.read_text()
    assert json.loads(run("--json"))["missing"] == ["purpose", "intended_users", "out_of_scope", "licence"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--number", "7"], "has no version 7"),
        (["--set", "limits"], "SECTION=TEXT"),
        (["--set", "colour=blue"], "There is no such section"),
        (["--output", "/nowhere/at/all/card.md"], "There is no folder"),
    ],
)
def test_the_command_refuses_in_words(version: ModelVersion, arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run(*arguments)
