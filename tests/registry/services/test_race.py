"""Promotions and freezes that happen at the same moment, on a database that really commits."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from mlplatform.errors import Conflict
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.tenants import create_tenant
from registry.models import Alias, Dataset, Deployment, ModelVersion
from registry.services.promotion import champion_of, promote
from tests.factories import make_dataset, make_model, make_version
from tests.plugins.application_role import whole_database

pytestmark = pytest.mark.django_db(transaction=True)


def together(work: list[Callable[[], object]]) -> list[object]:
    """Run each in a thread of its own, all at once; a Conflict is its result."""
    start = Barrier(len(work))

    def run(one: Callable[[], object]) -> object:
        start.wait(timeout=30)
        try:
            return one()
        except Conflict as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(work)) as threads:
        return list(threads.map(run, work))


def test_46_of_promotions_at_once_one_wins_and_the_losers_are_told() -> None:
    tenant = create_tenant(slug="clinic", name="North Clinic", by=SYSTEM)
    with tenant_scope(tenant):
        model = make_model()
        versions = [make_version(model) for _ in range(4)]

    def promoting(version: ModelVersion) -> Callable[[], object]:
        def run() -> object:
            with tenant_scope(tenant):
                return promote(model=model, version=version, by=SYSTEM, reason="race", override=True)

        return run

    results = together([promoting(version) for version in versions])
    won = [result for result in results if isinstance(result, Deployment)]
    assert won
    assert all(isinstance(result, Deployment | Conflict) for result in results)
    with tenant_scope(tenant):
        assert Alias.objects.filter(model=model).count() == 1
        assert Deployment.objects.count() == len(won)
        assert champion_of(model) == Deployment.objects.first().version  # type: ignore[union-attr]  # one won
        chain = list(Deployment.objects.order_by("pk").values_list("previous_id", "version_id"))
    # Each winner saw the one before it: nobody overwrote a change unseen.
    assert [previous for previous, _ in chain] == [None, *(version for _, version in chain[:-1])]


def test_46_the_same_content_frozen_at_once_is_stored_once() -> None:
    tenant = create_tenant(slug="clinic", name="North Clinic", by=SYSTEM)

    def freezing() -> object:
        with tenant_scope(tenant):
            return make_dataset().pk

    assert len(set(together([freezing] * 4))) == 1
    with whole_database():
        assert Dataset.all_tenants.count() == 1
