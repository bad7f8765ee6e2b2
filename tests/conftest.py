"""The cast of the tests: two tenants that must never meet, and the people and keys of each."""

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from pytest_django import DjangoDbBlocker, Settings
from rest_framework.test import APIClient

import mlplatform.urls  # noqa: F401  # with the pages of the console, which some tests list
from mlplatform.celery import app
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Membership, Role, Scope, Tenant, User
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.selection import SESSION_KEY
from mlplatform.tenancy.services import leases, requests
from mlplatform.tenancy.services.api_keys import create_api_key
from mlplatform.tenancy.services.tenants import create_tenant
from registry.services import warming
from registry.services.access import MEMORY
from registry.services.answer_cache import ANSWERS
from registry.services.damage import forget_refusals
from registry.services.request_tallies import TALLIES
from tests.plugins import emptying, template
from tests.plugins.application_role import RoleSwitch

ApiFor = Callable[..., APIClient]
ConsoleFor = Callable[..., Client]


def pytest_collection_finish() -> None:
    """Keep the garbage collector from walking over every imported module again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@pytest.fixture(scope="session")
def role_switch() -> RoleSwitch:
    """Whose rights the tests have on PostgreSQL."""
    return RoleSwitch()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings: None, role_switch: RoleSwitch, django_db_blocker: DjangoDbBlocker
) -> None:
    """Have the test database made by its owner, as a copy of one that is migrated."""
    role_switch.prepare()
    with django_db_blocker.unblock():
        template.begin_with_copy()


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb: bool) -> bool:
    """Keep the copy where Django would begin with an empty file; its folder goes away at the end."""
    return django_db_keepdb or connection.vendor == "sqlite"


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, role_switch: RoleSwitch, django_db_blocker: DjangoDbBlocker
) -> None:
    """Work as the application once the test database stands."""
    with django_db_blocker.unblock():
        template.refuse_foreign_tables(template.migrated_tables())
        role_switch.serve()
        emptying.use_for_tests()


@pytest.fixture(autouse=True)
def _own_files(settings: Settings, tmp_path: Path) -> None:
    """Keep stored files and the cache of each test apart."""
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path / "files"},
        },
    }
    settings.WHITENOISE_AUTOREFRESH = True  # looks files up when asked, instead of all at each start
    # A password hash that is slow on purpose would be half of the suite's time.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()


@pytest.fixture(autouse=True)
def _many_requests(settings: Settings) -> None:
    """Let a test that walks every page make more requests a minute than a person may."""
    settings.LIMITS = settings.LIMITS | {"requests_per_minute": 1_000_000}
    settings.PERSON_REQUESTS_PER_MINUTE = 1_000_000
    requests.forget_full_counters()
    leases.forget_leases()


@pytest.fixture(autouse=True)
def _nothing_remembered(settings: Settings) -> None:
    """Read keys, rights and champions afresh for each prediction, where remembering them is not the point."""
    settings.SERVING_MEMORY_SECONDS = 0
    MEMORY.forget()
    ANSWERS.forget()
    forget_refusals()
    warming.forget()
    TALLIES.forget()
    TALLIES.every = 0.0  # a thread of its own would write into the test's database


@pytest.fixture(autouse=True)
def _no_heartbeat(settings: Settings) -> None:
    """Let no job's heartbeat run within a test's transaction: from its own connection, no job is there."""
    settings.TRAINING_HEARTBEAT_SECONDS = 3600


@pytest.fixture(autouse=True)
def _jobs_in_process(settings: Settings) -> None:
    """Do the jobs in the test's own process and transaction, where the process is not the point."""
    settings.TRAINING_ISOLATED = False


@pytest.fixture
def tenant(db: None) -> Tenant:
    """The tenant most tests work for: a clinic."""
    return create_tenant(slug="clinic", name="North Clinic", by=SYSTEM)


@pytest.fixture
def other_tenant(db: None) -> Tenant:
    """A tenant that must never see the clinic's rows: a winery."""
    return create_tenant(slug="winery", name="Hill Winery", by=SYSTEM)


@pytest.fixture
def in_tenant(tenant: Tenant) -> Iterator[Tenant]:
    """Work in the clinic's scope."""
    with tenant_scope(tenant), tenant_transaction():
        yield tenant


@pytest.fixture
def api_for() -> ApiFor:
    """Return a maker of API clients, ``api_for(tenant, "read", "predict")``; unnamed means all scopes."""

    def make(tenant: Tenant, *scopes: str) -> APIClient:
        with tenant_scope(tenant):
            made = create_api_key(name="test", scopes=scopes or Scope.values, by=SYSTEM)
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {made.secret}")
        return client

    return make


@pytest.fixture
def console_for() -> ConsoleFor:
    """Return a maker of signed-in console clients: ``console_for(tenant, Role.VIEWER)``."""

    def make(tenant: Tenant, role: str = Role.ADMIN) -> Client:
        email = f"{role}@{tenant.slug}.example"
        user = User.objects.filter(email=email).first() or User.objects.create_user(email, "a-Long-pass-9")
        with tenant_scope(tenant), tenant_transaction():
            Membership.objects.get_or_create(user=user, defaults={"role": role})
        client = Client()
        client.force_login(user)
        session = client.session
        session[SESSION_KEY] = tenant.pk
        session.save()
        return client

    return make


@pytest.fixture
def worker_at_once() -> Iterator[None]:
    """Run each task where it is sent, as a worker with nothing else to do would."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False
