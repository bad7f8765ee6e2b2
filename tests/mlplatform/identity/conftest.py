"""People who sign in as people do: by the pages."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.totp.internal import auth
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from mlplatform.identity.proofs import PROVED_AT
from mlplatform.identity.services.mappings import add_mapping
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Membership, Tenant, User
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from tests.mlplatform.identity.provider import Provider, running_provider

PASSWORD = "a-Long-pass-9"
LOGIN = "/account/login/"
SECURITY = "/account/security/"
HALF_MINUTE = 58_000_000  # since 1970


@pytest.fixture
def ann(tenant: Tenant) -> User:
    """A member of the clinic with a password; an admin, since that role may do most."""
    user = User.objects.create_user("ann@example.com", PASSWORD)
    with tenant_scope(tenant), tenant_transaction():
        Membership.objects.create(user=user, role="admin")
    return user


def sign_in(client: Client, email: str = "ann@example.com", password: str = PASSWORD, **extra: Any) -> Any:
    """Send the sign-in form."""
    return client.post(LOGIN, {"login": email, "password": password}, **extra)


def is_signed_in(client: Client) -> bool:
    """Tell whether the session is somebody's."""
    return client.get("/api/v1/whoami").status_code != 401


@pytest.fixture
def ann_in(ann: User) -> Client:
    """Ann's browser, after the sign-in form."""
    client = Client()
    assert sign_in(client).status_code == 302
    return client


def make_stale(client: Client) -> None:
    """Let the session's last proof of identity be long ago."""
    session = client.session
    session[PROVED_AT] = time.time() - 3600
    session.save()


@pytest.fixture(autouse=True)
def _one_half_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no half minute end between a code's making and its use: it would be refused, as it should."""
    monkeypatch.setattr(auth, "yield_hotp_counters_from_time", lambda: [HALF_MINUTE])


def code_of(secret: str) -> str:
    """Return what an authenticator app with this secret shows now; it may be used afresh."""
    cache.clear()  # the same code is accepted once in its half minute
    return str(auth.format_hotp_value(auth.hotp_value(secret, HALF_MINUTE)))


def set_up_app(client: Client) -> str:
    """Set up an authenticator app by its page; return the secret."""
    page = client.get(f"{SECURITY}app/")
    secret: str = page.context["form"].secret
    done = client.post(f"{SECURITY}app/", {"code": code_of(secret)})
    assert done["Location"] == f"{SECURITY}codes/", done.content
    return secret


def recorded(tenant: Tenant, action: str) -> list[Any]:
    """Return the tenant's entries of this action, oldest first."""
    with tenant_scope(tenant), tenant_transaction():
        return list(AuditEvent.objects.filter(action=action).order_by("sequence"))


@pytest.fixture(scope="session")
def process() -> Iterator[Provider]:
    """The provider's process, one for all tests."""
    with running_provider() as provider:
        yield provider


@pytest.fixture
def corp(process: Provider, settings: Settings, db: None) -> Provider:
    """The provider, configured, but not trusted for e-mail addresses."""
    settings.SOCIALACCOUNT_PROVIDERS = process.settings()
    return process


@pytest.fixture
def trusted(process: Provider, settings: Settings, db: None) -> Provider:
    """The same, trusted for e-mail addresses."""
    settings.SOCIALACCOUNT_PROVIDERS = process.settings(trust_emails="true")
    return process


@pytest.fixture
def rules(tenant: Tenant, other_tenant: Tenant, corp: Provider) -> None:
    """Analysts of the provider are the clinic's, admins are the clinic's and the winery's."""
    for value, where, role in (
        ("ml-analysts", tenant, "analyst"),
        ("ml-admins", tenant, "admin"),
        ("ml-admins", other_tenant, "viewer"),
    ):
        add_mapping(provider="corp", claim="groups", value=value, tenant=where, role=role, by=SYSTEM)
