"""Keys and sessions: who asks, and for which tenant."""

from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.authentication import InvalidApiKey, authenticate_key, make_key
from mlplatform.tenancy.errors import InvalidKeyRequest, KeyAlreadyRevoked
from mlplatform.tenancy.models import ApiKey, Membership, Role, Tenant, User
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.selection import SESSION_KEY
from mlplatform.tenancy.services.api_keys import CreatedKey, create_api_key, revoke_api_key
from tests.plugins.application_role import whole_database

WHOAMI = "/api/v1/whoami"


def key_of(tenant: Tenant, **options: object) -> CreatedKey:
    with tenant_scope(tenant):
        return create_api_key(name="lab", scopes=["read"], by=SYSTEM, **options)  # type: ignore[arg-type]  # as given


def test_secret_is_not_stored(tenant: Tenant) -> None:
    made = key_of(tenant)
    with whole_database():
        stored = ApiKey.all_tenants.values().get()
    assert made.secret not in str(stored)
    assert made.secret.startswith(f"mlp_{stored['prefix']}_")


def test_key_leads_to_its_tenant(tenant: Tenant) -> None:
    found = authenticate_key(key_of(tenant).secret)
    assert found.tenant == tenant
    with whole_database():
        assert ApiKey.all_tenants.get().last_used_at is not None


def test_secrets_differ() -> None:
    assert len({make_key().secret for _ in range(50)}) == 50


def test_08_unknown_expired_revoked_and_malformed_keys_look_alike(tenant: Tenant) -> None:
    expired = key_of(tenant, expires_at=timezone.now() + timedelta(seconds=60))
    with whole_database():
        ApiKey.all_tenants.filter(pk=expired.key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    revoked = key_of(tenant)
    with tenant_scope(tenant):
        revoke_api_key(key=revoked.key, by=SYSTEM)
    right_prefix = f"mlp_{key_of(tenant).key.prefix}_{'x' * 43}"
    answers = set()
    for secret in (expired.secret, revoked.secret, right_prefix, make_key().secret, "mlp_short", "x" * 9999):
        with pytest.raises(InvalidApiKey):
            authenticate_key(secret)
        response = APIClient(headers={"Authorization": f"Bearer {secret}"}).get(WHOAMI)
        body = response.json()
        body.pop("request_id")
        answers.add((response.status_code, str(body), response["WWW-Authenticate"]))
    assert len(answers) == 1
    assert answers.pop()[0] == 401


def test_key_of_an_inactive_tenant_is_refused(tenant: Tenant) -> None:
    made = key_of(tenant)
    Tenant.objects.update(is_active=False)
    with pytest.raises(InvalidApiKey):
        authenticate_key(made.secret)


def test_revoking_twice_is_a_conflict(tenant: Tenant) -> None:
    made = key_of(tenant)
    with tenant_scope(tenant):
        revoke_api_key(key=made.key, by=SYSTEM)
        with pytest.raises(KeyAlreadyRevoked):
            revoke_api_key(key=made.key, by=SYSTEM)


@pytest.mark.parametrize(
    "wrong",
    [{"scopes": []}, {"scopes": ["everything"]}, {"name": "  "}, {"expires_at": timezone.now()}],
)
def test_key_request_that_makes_no_sense_is_refused(in_tenant: Tenant, wrong: dict[str, object]) -> None:
    request: dict[str, object] = {"name": "lab", "scopes": ["read"], **wrong}
    with pytest.raises(InvalidKeyRequest):
        create_api_key(by=SYSTEM, **request)  # type: ignore[arg-type]  # wrong on purpose


def test_anonymous_is_asked_to_sign_in() -> None:
    response = Client().get(WHOAMI)
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "not_authenticated"


def test_whoami_tells_tenant_and_rights(tenant: Tenant, api_for: Callable[..., APIClient]) -> None:
    answer = api_for(tenant, "read", "train").get(WHOAMI).json()
    assert answer["tenant"] == "clinic"
    assert answer["kind"] == "api_key"
    assert answer["capabilities"] == ["data", "train", "view"]


def test_bad_key_is_refused_even_with_a_good_session(
    tenant: Tenant, console_for: Callable[..., Client]
) -> None:
    response = console_for(tenant).get(WHOAMI, headers={"Authorization": "Bearer mlp_wrong"})
    assert response.status_code == 401


def test_session_works_for_its_chosen_tenant(tenant: Tenant, console_for: Callable[..., Client]) -> None:
    answer = console_for(tenant, Role.VIEWER).get(WHOAMI).json()
    assert (answer["tenant"], answer["capabilities"]) == ("clinic", ["view"])


def test_session_naming_a_foreign_tenant_falls_back_to_the_own(
    tenant: Tenant, other_tenant: Tenant, console_for: Callable[..., Client]
) -> None:
    client = console_for(tenant)
    session = client.session
    session[SESSION_KEY] = other_tenant.pk
    session.save()
    assert client.get(WHOAMI).json()["tenant"] == "clinic"


def test_session_loses_the_tenant_with_the_membership(
    tenant: Tenant, console_for: Callable[..., Client]
) -> None:
    client = console_for(tenant)
    with whole_database():
        Membership.all_tenants.all().delete()
    assert client.get(WHOAMI).status_code == 403


def test_superuser_gets_no_tenant_before_choosing(tenant: Tenant) -> None:
    root = User.objects.create_superuser("root@example.com")
    client = Client()
    client.force_login(root)
    assert client.get("/api/v1/members").status_code == 403
    session = client.session
    session[SESSION_KEY] = tenant.pk
    session.save()
    assert client.get("/api/v1/members").status_code == 200


def test_session_call_without_csrf_token_is_refused(
    tenant: Tenant, console_for: Callable[..., Client]
) -> None:
    signed_in = console_for(tenant)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = signed_in.cookies
    response = strict.post("/api/v1/members", {}, content_type="application/json")
    assert response.status_code == 403


@pytest.mark.parametrize("offered", ["short", "bad\ninjection-1234", "x" * 65, "emoji-☃-id-123"])
def test_harmful_request_id_is_replaced(db: None, offered: str) -> None:
    answer = Client().get(WHOAMI, headers={"X-Request-ID": offered})
    assert answer["X-Request-ID"] != offered
    assert len(answer["X-Request-ID"]) == 32


def test_request_id_comes_back_in_header_and_body(db: None) -> None:
    answer = Client().get(WHOAMI, headers={"X-Request-ID": "client-id-0001"})
    assert answer["X-Request-ID"] == answer.json()["request_id"] == "client-id-0001"


def basic(user: str, password: str) -> APIClient:
    sent = b64encode(f"{user}:{password}".encode()).decode()
    return APIClient(headers={"Authorization": f"Basic {sent}"})


def test_basic_takes_the_key_as_password_or_as_a_lone_user_name(tenant: Tenant) -> None:
    secret = key_of(tenant).secret
    for user, password in (("", secret), ("anything", secret), (secret, ""), ("key", secret)):
        assert basic(user, password).get(WHOAMI).json()["principal"] == "lab"


def test_unreadable_and_wrong_basic_are_refused_like_a_wrong_key(tenant: Tenant) -> None:
    secret = key_of(tenant).secret
    headers = ["Basic ", "Basic !!!", f"Basic {secret}", "Basic /////w==", "Basic", "basic e30="]
    clients = [APIClient(headers={"Authorization": header}) for header in headers]
    clients += [basic(secret, "wrong"), basic("boss@clinic.example", "a-Long-pass-9")]
    for client in clients:
        answer = client.get(WHOAMI)
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == 'Bearer realm="api"'  # no browser asks for a password


def test_last_use_tells_time_and_address_once_a_minute(tenant: Tenant) -> None:
    made = key_of(tenant)
    client = APIClient(headers={"Authorization": f"Bearer {made.secret}"})
    client.get(WHOAMI, REMOTE_ADDR="192.0.2.7")
    client.get(WHOAMI, REMOTE_ADDR="192.0.2.8")
    with whole_database():
        used = ApiKey.all_tenants.get()
    assert used.last_used_from == "192.0.2.7"
    assert used.last_used_at is not None
    with whole_database():
        ApiKey.all_tenants.update(last_used_at=used.last_used_at - timedelta(minutes=2))
    client.get(WHOAMI, REMOTE_ADDR="2001:db8::1")
    with whole_database():
        assert ApiKey.all_tenants.get().last_used_from == "2001:db8::1"
