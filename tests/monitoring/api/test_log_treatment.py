from collections.abc import Iterator

import pytest
from django.core.management import call_command
from pytest_django import DjangoCaptureOnCommitCallbacks

from mlplatform.celery import app
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import Prediction, RegisteredModel
from registry.privacy.pseudonyms import is_pseudonym
from registry.services.personal import mark_model
from registry.services.serving import predict
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_champion, rows_of

ADDRESS = "/api/v1/models/cancer/treat-log"


@pytest.fixture(autouse=True)
def logged(tenant: Tenant) -> RegisteredModel:
    """A model that was asked three rows before one of its columns was marked."""
    with tenant_scope(tenant), tenant_transaction():
        champion = make_champion()
        predict(model=champion.model, rows=rows_of(champion, 3), by=SYSTEM)
        return mark_model(model=champion.model, changes={"mean_radius": "pseudonymise"}, by=SYSTEM)


@pytest.fixture(autouse=True)
def _worker() -> Iterator[None]:
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


def treated(tenant: Tenant) -> tuple[int, str]:
    """Return how many logged rows are treated, and who the trail says did it."""
    with tenant_scope(tenant), tenant_transaction():
        rows = [is_pseudonym(one.features["mean_radius"]) for one in Prediction.objects.all()]
        event = AuditEvent.objects.filter(action="model.log_treated").first()
        return sum(rows), event.actor_kind if event else ""


def test_the_api_has_the_log_treated(
    tenant: Tenant, api_for: ApiFor, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    assert treated(tenant) == (0, "")
    with django_capture_on_commit_callbacks(execute=True):
        assert api_for(tenant, "admin").post(ADDRESS).status_code == 202
    assert treated(tenant) == (3, "api_key")


def test_others_may_not(tenant: Tenant, other_tenant: Tenant, api_for: ApiFor) -> None:
    assert api_for(tenant, "read", "train", "deploy").post(ADDRESS).status_code == 403
    assert api_for(other_tenant).post(ADDRESS).status_code == 404
    assert treated(tenant) == (0, "")


def test_the_console_has_the_log_treated(
    tenant: Tenant,
    logged: RegisteredModel,
    console_for: ConsoleFor,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    page = f"/admin/registry/registeredmodel/{logged.pk}/treat-log/"
    assert console_for(tenant, Role.OPERATOR).post(page).status_code == 403
    with django_capture_on_commit_callbacks(execute=True):
        assert console_for(tenant).post(page).status_code == 302
    assert treated(tenant) == (3, "user")


def test_the_command_treats_every_models_log(tenant: Tenant) -> None:
    call_command("treat_log", "--tenant", "clinic")
    assert treated(tenant) == (3, "command")
