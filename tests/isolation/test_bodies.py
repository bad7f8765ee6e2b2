"""Every way to change something, with an input that works, and in it one of our rows exchanged for theirs.

The ways and their inputs are those of ``tests/audit``, where one without an input fails. What is exchanged is
found by itself: whatever in an address or a body is the key, or the name, of one of our rows.
"""

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Scope, Tenant, User
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.settings import change_settings
from mlplatform.tenancy.walls import tenant_models
from registry.models import RegisteredModel
from tests.audit.recipes import Scene, api_writes, console_writes
from tests.audit.writes import Write
from tests.conftest import ConsoleFor
from tests.console import furnish
from tests.isolation.crawler import Crawler
from tests.isolation.principals import key_client
from tests.isolation.worlds import World

OF_THE_INSTALLATION = ("tenancy.tenant ", "tenancy.user ", "identity.claimmapping ")
WORD = re.compile(r"[A-Za-z0-9-]+")
# What a service answers who is asked for a row that is not there.
NOT_FOUND = {400, 404, 409, 422}


class Exchange:
    """Our keys and names with what stands in their place at the other tenant."""

    def __init__(self, world: World, ours: Tenant) -> None:
        self.pairs: dict[str, str] = {}
        with tenant_scope(ours), tenant_transaction():
            for model in tenant_models():
                theirs = world.row(model, theirs=True)
                for key in model.objects.values_list("pk", flat=True):
                    self.pairs[str(key)] = str(theirs.pk)
                if model is RegisteredModel:
                    for name in model.objects.values_list("name", flat=True):
                        self.pairs[name] = theirs.name

    def text(self, text: str) -> str:
        """Return the text with each of our keys and names exchanged."""
        return WORD.sub(lambda word: self.pairs.get(word[0], word[0]), text)

    def variants(self, write: Write) -> Iterator[Write]:
        """Yield the write with its address exchanged, and with each value of its body, one at a time."""
        if (address := self.text(write.address)) != write.address:
            yield replace(write, address=address)
        for name, value in write.body.items():
            if (other := self.value(value)) != value:
                yield replace(write, body={**write.body, name: other})
        if (lines := self.text(write.lines)) != write.lines:
            yield replace(write, lines=lines)

    def value(self, value: Any) -> Any:
        """Return the value with what is ours exchanged; files with theirs in them."""
        if isinstance(value, io.BytesIO):
            content = value.getvalue().decode("latin-1")  # every byte is a character, so none is lost
            return file_of(self.text(content), value) if self.text(content) != content else value
        if isinstance(value, dict):
            return {name: self.value(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value) in self.pairs:
            return type(value)(self.pairs[str(value)])
        return value


def file_of(content: str, like: io.BytesIO) -> io.BytesIO:
    """Return a file of the same name with other content."""
    file = io.BytesIO(content.encode("latin-1"))
    file.name = like.name
    return file


@pytest.fixture
def scene(world: World, tenant: Tenant, other_tenant: Tenant) -> Scene:
    """A third tenant, from which theirs is asked for."""
    return Scene(furnish(tenant))


def send(crawler: Crawler, way: str, write: Write, headers: dict[str, str] | None = None) -> Any:
    """Send the write as the API or the console takes it."""
    if write.lines:
        return crawler.ask(
            way.split()[0], write.address, write.lines, content_type="text/csv", headers=headers
        )
    if write.address.startswith("/api/") and not write.multipart:
        return crawler.ask(way.split()[0], write.address, write.body, headers=headers)
    return crawler.post_form(write.address, write.body, headers or {})


def each_exchanged(
    crawler: Crawler, exchange: Exchange, writes: dict[str, Write], refused: Callable[[Any], bool]
) -> int:
    """Send every variant of every write; each must be refused and change nothing of theirs."""
    tried = 0
    for way, write in writes.items():
        for variant in exchange.variants(write):
            with crawler.undone():
                answer = send(crawler, way, variant)
                assert refused(answer), (way, variant, answer.status_code)
                assert crawler.world.changed() == [], (way, variant)
            tried += 1
    return tried


def test_nothing_of_theirs_is_taken_by_the_api(world: World, scene: Scene) -> None:
    with tenant_scope(scene.made.tenant):
        change_settings(changes={"outcome_hold_days": 0}, by=SYSTEM)  # what is unknown does not wait
    client, _ = key_client(scene.made.tenant, *Scope.values)
    crawler = Crawler(world, client, "key with all scopes")
    with crawler.listening():
        tried = each_exchanged(
            crawler,
            Exchange(world, scene.made.tenant),
            api_writes(scene),
            lambda a: a.status_code in NOT_FOUND,
        )
    assert tried >= 30
    assert crawler.findings == []


def test_nothing_of_theirs_is_taken_by_the_console(
    world: World, scene: Scene, console_for: ConsoleFor
) -> None:
    writes = {
        way: write for way, write in console_writes(scene).items() if not way.startswith(OF_THE_INSTALLATION)
    }
    crawler = Crawler(world, console_for(scene.made.tenant), "admin")
    with crawler.listening():
        tried = each_exchanged(
            crawler, Exchange(world, scene.made.tenant), writes, lambda a: a.status_code in {200, 302, 404}
        )
    assert tried >= 30
    assert crawler.findings == []


def test_a_tenant_named_in_a_body_or_a_header_is_not_believed(world: World, scene: Scene) -> None:
    client, _ = key_client(scene.made.tenant, *Scope.values)
    crawler = Crawler(world, client, "key with all scopes")
    theirs = {"X-Tenant": world.theirs.slug, "X-Tenant-Id": str(world.theirs.pk), "X-Forwarded-Host": "x"}
    with crawler.listening():
        for way, write in api_writes(scene).items():
            if write.multipart:
                continue
            for name in ("tenant", "tenant_id"):
                named = replace(write, body={**write.body, name: world.theirs.pk})
                with crawler.undone():
                    answer = send(crawler, way, named)
                if write.body:
                    assert answer.status_code == 400, (way, name)
            with crawler.undone():
                assert send(crawler, way, write, theirs).status_code < 300, way
            assert world.changed() == [], way
    assert crawler.findings == []


def test_a_person_cannot_choose_their_tenant(world: World, scene: Scene, console_for: ConsoleFor) -> None:
    crawler = Crawler(world, console_for(scene.made.tenant), "admin")
    with crawler.listening():
        crawler.post_form("/admin/switch-tenant/", {"tenant": world.theirs.pk})
        session = crawler.client.session
        session["tenant_id"] = world.theirs.pk
        session.save()
        assert scene.made.tenant.name in crawler.get("/admin/").content.decode()
    assert crawler.findings == []


def test_nobody_gets_platform_rights_by_asking(world: World, scene: Scene, console_for: ConsoleFor) -> None:
    client: Client = console_for(scene.made.tenant)
    forged = {"is_superuser": "on", "is_staff": "on", "role": "owner", "groups": "1", "user": "1"}
    for write in console_writes(scene).values():
        if write.multipart or write.address.startswith(("/admin/tenancy/tenant", "/admin/tenancy/user")):
            continue
        answer = client.post(write.address, {**write.body, **forged})
        list(answer)  # a file that is sent is closed once it was read
    assert not User.objects.filter(is_superuser=True).exists()
