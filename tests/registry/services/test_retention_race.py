"""Promotions, approvals and retention at the same moment, each with a connection of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from mlplatform.errors import Conflict
from mlplatform.tenancy.actors import SYSTEM, Actor, ActorKind
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.tenants import create_tenant
from registry.errors import VersionNotReady
from registry.models import Alias, Deployment, ModelVersion, PromotionRequest
from registry.models.request import RequestState
from registry.models.version import VersionStatus
from registry.services.champions import champion_of
from registry.services.loading import load_fresh
from registry.services.promotion import Examined, move_champion
from registry.services.requests import approve, propose
from registry.services.retention import Kept, apply_retention
from tests.factories import make_dataset, make_model, make_version, table
from tests.registry.services.test_race import together

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.needs_postgres]


def within(tenant: Tenant, work: Callable[[], object]) -> Callable[[], object]:
    def run() -> object:
        with tenant_scope(tenant):
            return work()

    return run


@pytest.fixture
def clinic(db: None) -> Tenant:
    return create_tenant(slug="clinic", name="North Clinic", by=SYSTEM)


def test_of_two_approvers_at_the_same_moment_exactly_one_moves_the_alias(clinic: Tenant) -> None:
    with tenant_scope(clinic), tenant_transaction():
        version = make_version()
        request = propose(model=version.model, version=version, by=SYSTEM)

    def approving(name: str) -> Callable[[], object]:
        def run() -> object:
            mine = PromotionRequest.objects.select_related("model", "version__model").get(pk=request.pk)
            return approve(request=mine, by=Actor(ActorKind.USER, name), reason="x", override=True)

        return within(clinic, run)

    results = together([approving(name) for name in ("ann@clinic.example", "bob@clinic.example")])
    assert sum(isinstance(one, Deployment) for one in results) == 1
    assert sum(isinstance(one, Conflict) for one in results) == 1
    with tenant_scope(clinic), tenant_transaction():
        [deployment] = Deployment.objects.all()
        [alias] = Alias.objects.all()
        closed = PromotionRequest.objects.get()
        assert (alias.version_id, alias.revision) == (deployment.version_id, 1)
        assert (closed.state, closed.decided_by) == (RequestState.APPROVED, str(deployment.actor))


@pytest.mark.parametrize("number", range(4))
def test_what_is_promoted_while_retention_runs_has_its_files_or_is_not_promoted(
    number: int, clinic: Tenant, settings: Settings
) -> None:
    settings.MAX_MODEL_VERSIONS = 1
    ahead = timezone.now() + timedelta(days=40)
    with tenant_scope(clinic), tenant_transaction():
        model, dataset = make_model(), make_dataset(frame=table().head(300))
        old, _ = make_version(model, dataset=dataset), make_version(model, dataset=dataset)
    examined = Examined(old, None, ())
    kept, moved = together(
        [
            within(clinic, lambda: apply_retention(now=ahead, by=SYSTEM, model=model)),
            within(clinic, lambda: move_champion(examined=examined, by=SYSTEM, reason="race")),
        ]
    )
    assert isinstance(kept, Kept)
    with tenant_scope(clinic), tenant_transaction():
        old = ModelVersion.objects.get(pk=old.pk)
        if isinstance(moved, Deployment):
            assert (champion_of(model), old.status) == (old, VersionStatus.READY)
            assert load_fresh(old) is not None
        else:
            assert isinstance(moved, VersionNotReady)
            assert (champion_of(model), old.status) == (None, VersionStatus.ARCHIVED)


def test_retention_waits_for_a_promotion_that_has_begun_and_leaves_its_version(
    clinic: Tenant, settings: Settings
) -> None:
    settings.MAX_MODEL_VERSIONS = 1
    ahead = timezone.now() + timedelta(days=40)
    with tenant_scope(clinic), tenant_transaction():
        model, dataset = make_model(), make_dataset(frame=table().head(300))
        old, _ = make_version(model, dataset=dataset), make_version(model, dataset=dataset)

    def keeping() -> Kept:
        try:
            with tenant_scope(clinic):
                return apply_retention(now=ahead, by=SYSTEM, model=model)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        with tenant_scope(clinic), tenant_transaction():
            move_champion(examined=Examined(old, None, ()), by=SYSTEM, reason="first")
            running = threads.submit(keeping)
            with pytest.raises(TimeoutError):  # it has found the version, and waits for its row
                running.result(timeout=0.5)
        assert running.result(timeout=30).gone["versions"].count == 0
    with tenant_scope(clinic), tenant_transaction():
        assert load_fresh(ModelVersion.objects.get(pk=old.pk)) is not None
