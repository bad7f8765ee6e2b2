"""While a model or its tenant is being changed, its predictions are stored all the same."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.tenants import create_tenant
from registry.models import Prediction, RegisteredModel
from registry.services.retention_rules import change_retention
from registry.services.serving import predict
from tests.factories import make_champion, rows_of

pytestmark = [pytest.mark.needs_postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def clinic() -> Tenant:
    """A tenant whose rows are committed."""
    return create_tenant(slug="clinic", name="North Clinic", by=SYSTEM)


@pytest.mark.parametrize("wide", [False, True], ids=["model", "tenant"])
def test_a_change_does_not_keep_answers_waiting(clinic: Tenant, wide: bool) -> None:
    with tenant_scope(clinic):
        champion = make_champion()

    def ask(model: RegisteredModel) -> int:
        try:
            with tenant_scope(clinic), connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '5s'")
                predict(model=model, rows=rows_of(champion, 1), by=SYSTEM)
                return Prediction.objects.count()
        finally:
            connection.close()

    with tenant_scope(clinic), tenant_transaction(), ThreadPoolExecutor(1) as threads:
        model = None if wide else champion.model
        change_retention(changes={"predictions": {"days": 30}}, by=SYSTEM, model=model)
        assert threads.submit(ask, champion.model).result() == 1
