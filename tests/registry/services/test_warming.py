"""A version is in memory before it answers, whichever way the request takes."""

import threading
from typing import Any
from unittest import mock

import pytest

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.tenants import create_tenant
from registry.models import ModelVersion
from registry.services import warming
from registry.services.loading import CACHE, is_loaded
from registry.services.plans import plan_for
from registry.services.promotion import promote, rollback
from registry.services.serving import predict
from registry.services.warming import warmed
from tests.factories import make_champion, make_version, rows_of


def test_a_promotion_and_a_rollback_have_the_version_in_memory_first(in_tenant: Tenant) -> None:
    champion = make_champion()
    second = make_version(champion.model, dataset=champion.dataset)
    CACHE.clear()
    promote(model=champion.model, version=second, by=SYSTEM, override=True, reason="x")
    assert is_loaded(second)
    CACHE.clear()
    rollback(model=champion.model, by=SYSTEM)
    assert is_loaded(champion)


@pytest.fixture
def swapped() -> tuple[ModelVersion, ModelVersion]:
    """The version that answered until now, and the champion that another process puts in its place."""
    with tenant_scope(create_tenant(slug="clinic", name="North Clinic", by=SYSTEM)):
        before = make_champion()
        champion = make_version(before.model, dataset=before.dataset)
        assert warmed(before) is before
        return before, champion


@pytest.mark.django_db(transaction=True)
def test_the_version_before_answers_until_the_new_one_is_loaded(
    swapped: tuple[ModelVersion, ModelVersion],
) -> None:
    before, champion = swapped
    gate, loaded = threading.Event(), threading.Event()

    def slowly(version: ModelVersion) -> Any:
        gate.wait(30)
        plan = plan_for(version)
        loaded.set()
        return plan

    with (
        tenant_scope(before.tenant),
        mock.patch.object(warming, "plan_for", slowly),
        mock.patch.object(warming, "is_loaded", lambda version: version == before or loaded.is_set()),
    ):
        promote(model=before.model, version=champion, by=SYSTEM, override=True, reason="x")
        rows = rows_of(before)
        assert predict(model=before.model, rows=rows, by=SYSTEM).version == 1
        assert predict(model=before.model, rows=rows, by=SYSTEM, version=2).version == 2
        gate.set()
        assert loaded.wait(30)
        assert predict(model=before.model, rows=rows, by=SYSTEM).version == 2
        join_warming()


def test_a_process_that_has_just_started_waits_for_the_champion(in_tenant: Tenant) -> None:
    champion = make_champion()
    CACHE.clear()
    assert warmed(champion) is champion


def join_warming() -> None:
    """Wait until no version is being loaded."""
    for thread in threading.enumerate():
        if thread.name.startswith("warm "):
            thread.join(30)
