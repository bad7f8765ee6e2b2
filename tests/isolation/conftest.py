"""The two tenants, built once for all tests of this folder and taken back at their end."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.storage import storages
from django.db import transaction
from django.test import override_settings
from pytest_django import DjangoDbBlocker, Settings

from tests.conftest import ConsoleFor
from tests.isolation.crawler import Crawler
from tests.isolation.principals import PRINCIPALS, Principal
from tests.isolation.worlds import World, build

HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="package")
def world(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Both tenants; each test works within a transaction of its own on top of them."""
    place = {"OPTIONS": {"location": tmp_path_factory.mktemp("files")}}
    backends: dict[str, Any] = storages.backends
    stores = {**backends, "default": {**backends["default"], **place}}
    with (
        django_db_blocker.unblock(),
        override_settings(STORAGES=stores, PASSWORD_HASHERS=HASHERS),
        transaction.atomic(),
    ):
        yield build()
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _own_files(world: World, settings: Settings, db: None) -> None:
    """Leave the files where the world has them; the rest is as for all tests."""
    settings.WHITENOISE_AUTOREFRESH = True
    # A crawler asks more in a minute than any person.
    settings.LIMITS = dict.fromkeys(settings.LIMITS, 10**12)
    settings.PERSON_REQUESTS_PER_MINUTE = 10**6
    cache.clear()


@pytest.fixture
def principal(request: pytest.FixtureRequest, world: World, console_for: ConsoleFor) -> Principal:
    """Whom the test is about; each of all where a test says nothing else."""
    return PRINCIPALS[request.param](world.ours, console_for)


@pytest.fixture
def crawler(world: World, principal: Principal) -> Iterator[Crawler]:
    """The principal's crawler; at the end there must be no finding, and nothing of theirs changed."""
    found = Crawler(world, principal.client, principal.name)
    if principal.name == "superuser":
        found.may_know(world.of_the_installation())
    with found.listening():
        yield found
    assert found.findings == []
    assert world.changed() == []
