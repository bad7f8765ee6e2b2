"""Short-lived tokens: what they may, when they end, and every way to forge one."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import ApiKey, AuditEvent, Role, Tenant
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.api_keys import CreatedKey, create_api_key, revoke_api_key, rotate_api_key
from mlplatform.tenancy.tokens import ALGORITHM, AUDIENCE, ISSUER, InvalidToken, _keys, read_token, sign_token
from tests.conftest import ConsoleFor
from tests.factories import make_model
from tests.plugins.application_role import whole_database

NEEDED = ("exp", "aud", "iss", "sub", "jti", "key", "scopes")
TOKENS, WHOAMI, MODELS = "/api/v1/tokens", "/api/v1/whoami", "/api/v1/models"


def key_of(tenant: Tenant, *scopes: str, **options: Any) -> CreatedKey:
    with tenant_scope(tenant):
        return create_api_key(name="lab", scopes=scopes or ["read", "predict"], by=SYSTEM, **options)


def client(secret: str) -> APIClient:
    return APIClient(headers={"Authorization": f"Bearer {secret}"})


def test_a_key_learns_which_models_it_is_for(tenant: Tenant) -> None:
    with tenant_scope(tenant):
        make_model()
    assert client(key_of(tenant).secret).get(WHOAMI).json()["models"] == []
    limited = key_of(tenant, "predict", models=["cancer"])
    assert client(limited.secret).get(WHOAMI).json()["models"] == ["cancer"]


def token_of(secret: str, **asked: Any) -> str:
    answer = client(secret).post(TOKENS, asked)
    assert answer.status_code == 201, answer.content
    return str(answer.json()["token"])


def test_token_acts_for_its_key_and_no_longer_than_told(tenant: Tenant) -> None:
    made = key_of(tenant)
    answer = client(made.secret).post(TOKENS, {"lifetime_seconds": 60}).json()
    left = datetime.fromisoformat(answer["expires_at"]) - datetime.now(UTC)
    assert timedelta(seconds=50) < left <= timedelta(seconds=60)
    told = client(answer["token"]).get(WHOAMI).json()
    assert (told["principal"], told["capabilities"]) == ("lab", ["predict", "view"])


def test_token_lives_for_a_quarter_of_an_hour_unless_told(tenant: Tenant) -> None:
    claims = jwt.decode(token_of(key_of(tenant).secret), options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] in range(898, 902)
    assert claims["iss"] == ISSUER
    assert claims["aud"] == AUDIENCE


def test_token_can_have_less_than_its_key(tenant: Tenant) -> None:
    with tenant_scope(tenant):
        make_model("churn"), make_model("biopsy")
    made = key_of(tenant, "read", "predict")
    narrow = client(token_of(made.secret, scopes=["read"], models=["churn"]))
    assert [one["name"] for one in narrow.get(MODELS).json()["results"]] == ["churn"]
    assert narrow.get(f"{MODELS}/biopsy").status_code == 404
    assert narrow.post(f"{MODELS}/churn/predict", {}).status_code == 403


def test_token_of_a_limited_key_is_limited_alike(tenant: Tenant) -> None:
    with tenant_scope(tenant):
        make_model("churn"), make_model("biopsy")
    made = key_of(tenant, models=["churn"])
    token = client(token_of(made.secret))
    assert [one["name"] for one in token.get(MODELS).json()["results"]] == ["churn"]
    refused = client(made.secret).post(TOKENS, {"models": ["biopsy"]})
    assert (refused.status_code, list(refused.json()["errors"])) == (422, ["models"])
    assert "biopsy" not in refused.json()["detail"]


@pytest.mark.parametrize(
    ("asked", "status", "field"),
    [
        ({"scopes": ["train"]}, 422, "scopes"),
        ({"scopes": ["admin"]}, 400, "scopes"),
        ({"scopes": ["root"]}, 400, "scopes"),
        ({"scopes": "read"}, 400, "scopes"),
        ({"models": ["nothing"]}, 422, "models"),
        ({"models": ["x"] * 51}, 400, "models"),
        ({"lifetime_seconds": 3601}, 400, "lifetime_seconds"),
        ({"lifetime_seconds": 0}, 400, "lifetime_seconds"),
        ({"lifetime_seconds": "long"}, 400, "lifetime_seconds"),
        ({"tenant": 2}, 400, "tenant"),
    ],
)
def test_what_cannot_be_had_is_refused(
    tenant: Tenant, asked: dict[str, Any], status: int, field: str
) -> None:
    answer = client(key_of(tenant).secret).post(TOKENS, asked)
    assert (answer.status_code, list(answer.json()["errors"])) == (status, [field])


def test_token_makes_no_token_and_manages_no_key(tenant: Tenant) -> None:
    made = key_of(tenant, "read", "admin")
    token = client(token_of(made.secret))
    assert token.post(TOKENS, {}).status_code == 403
    assert token.get("/api/v1/api-keys").status_code == 403
    assert token.post("/api/v1/api-keys", {"name": "x", "scopes": ["read"]}).status_code == 403
    assert token.post(f"/api/v1/api-keys/{made.key.pk}/rotate").status_code == 403


def test_key_with_the_admin_scope_alone_has_no_tokens(tenant: Tenant) -> None:
    assert client(key_of(tenant, "admin").secret).post(TOKENS, {}).status_code == 422


def test_person_has_no_tokens(tenant: Tenant, console_for: ConsoleFor) -> None:
    person: Client = console_for(tenant, Role.ADMIN)
    assert person.post(TOKENS, {}, content_type="application/json").status_code == 403


def test_token_ends_with_its_key_at_once(tenant: Tenant) -> None:
    made = key_of(tenant)
    token = client(token_of(made.secret))
    assert token.get(WHOAMI).status_code == 200
    with tenant_scope(tenant):
        revoke_api_key(key=made.key, by=SYSTEM)
    assert token.get(WHOAMI).status_code == 401
    with tenant_scope(tenant):
        assert AuditEvent.objects.filter(action="api_key.refused").count() == 1


def test_token_ends_with_its_keys_overlap(tenant: Tenant) -> None:
    made = key_of(tenant)
    token = client(token_of(made.secret))
    with tenant_scope(tenant):
        rotate_api_key(key=made.key, by=SYSTEM, overlap_hours=0)
    assert token.get(WHOAMI).status_code == 401


def test_token_never_outlives_its_key(tenant: Tenant) -> None:
    expires = datetime.now(UTC) + timedelta(minutes=1)
    answer = client(key_of(tenant, expires_at=expires).secret).post(TOKENS, {"lifetime_seconds": 3600})
    assert datetime.fromisoformat(answer.json()["expires_at"]) <= expires


def test_switched_off_tenant_refuses_tokens(tenant: Tenant) -> None:
    token = client(token_of(key_of(tenant).secret))
    tenant.is_active = False
    tenant.save()
    assert token.get(WHOAMI).status_code == 401


def forged(token: str, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """Return the token with another header or other claims under the old signature."""
    old = jwt.decode(token, options={"verify_signature": False})
    parts = [header or jwt.get_unverified_header(token), {**old, **claims}]
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*coded, token.rpartition(".")[2]])


def test_forged_tokens_are_refused_like_any_wrong_key(tenant: Tenant, other_tenant: Tenant) -> None:
    token, other = token_of(key_of(tenant).secret), key_of(other_tenant).key
    header = jwt.get_unverified_header(token)
    claims = jwt.decode(token, options={"verify_signature": False})
    unsigned = jwt.encode(claims, "", algorithm="none", headers={"kid": header["kid"]})
    (_, secret), *_ = _keys("another installation's secret", ())
    answers = {client("mlp_short").get(WHOAMI).status_code}
    for bad in (
        unsigned,
        forged(token, header={**header, "alg": "none"}),
        forged(token, header={**header, "alg": "HS512"}),
        forged(token, header={**header, "alg": "RS256"}),
        forged(token, header={"alg": "HS256", "typ": "JWT"}),
        forged(token, header={**header, "kid": "../../etc/passwd"}),
        forged(token, header={**header, "kid": None}),
        forged(token, scopes=["admin"]),
        forged(token, exp=claims["exp"] + 10_000),
        forged(token, key=other.pk, sub=other.prefix),
        jwt.encode(claims, secret, algorithm=ALGORITHM, headers={"kid": header["kid"]}),
        token[:-2],
        f"{token}x",
        f"{token}.x",
        "a.b.c",
        "..",
        "eyJ" * 5000,
        "é.è.ê",
    ):
        answer = client(bad.encode().decode("latin-1")).get(WHOAMI)
        answers.add(answer.status_code)
        assert answer.json()["code"] == client("mlp_short").get(WHOAMI).json()["code"]
    assert answers == {401}


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "somebody else"},
        {"aud": "another-api"},
        {"exp": 1_700_000_000},
        {"nbf": 4_000_000_000},
        {"key": "1 OR 1=1"},
        {"scopes": "admin"},
        *({name: None} for name in NEEDED),
    ],
    ids=[
        "iss",
        "aud",
        "exp",
        "nbf",
        "key",
        "scopes",
        *(f"no {n}" for n in ("exp", "aud", "iss", "sub", "jti", "key", "scopes")),
    ],
)
def test_signed_tokens_for_another_purpose_are_refused(
    tenant: Tenant, settings: Settings, changed: dict[str, Any]
) -> None:
    old = jwt.decode(token_of(key_of(tenant).secret), options={"verify_signature": False})
    claims = {name: value for name, value in {**old, **changed}.items() if value is not None}
    (kid, secret), *_ = _keys(settings.SECRET_KEY, ())
    with pytest.raises(InvalidToken):
        read_token(jwt.encode(claims, secret, algorithm=ALGORITHM, headers={"kid": kid}))


def test_claims_never_give_more_than_the_key_has(tenant: Tenant) -> None:
    """Even a token that this server signed has no more than its key: the key is read at each request."""
    with tenant_scope(tenant):
        make_model("churn"), make_model("biopsy")
    key = key_of(tenant, "read", models=["churn"]).key
    soon = datetime.now(UTC) + timedelta(minutes=1)
    sign = {"prefix": key.prefix, "key": key.pk, "expires_at": soon}
    wide, _ = sign_token(scopes=["read", "deploy", "admin"], models=["churn", "biopsy"], **sign)  # type: ignore[arg-type]  # as given
    other, _ = sign_token(scopes=["read"], models=["biopsy"], **sign)  # type: ignore[arg-type]  # as given
    assert client(wide).get(WHOAMI).json()["capabilities"] == ["view"]
    assert [one["name"] for one in client(wide).get(MODELS).json()["results"]] == ["churn"]
    assert client(other).get(MODELS).status_code == 401


def test_servers_key_is_changed_without_ending_tokens(tenant: Tenant, settings: Settings) -> None:
    token = token_of(key_of(tenant).secret)
    old = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a-new-secret-key-of-the-server", [old]
    assert client(token).get(WHOAMI).status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert client(token).get(WHOAMI).status_code == 401


def test_tokens_are_recorded_in_numbers_and_without_themselves(tenant: Tenant, settings: Settings) -> None:
    settings.AUDIT_ATTEMPTS_PER_MINUTE = 2
    made = key_of(tenant)
    tokens = [token_of(made.secret) for _ in range(4)]
    with tenant_scope(tenant):
        events = [event.entry() for event in AuditEvent.objects.filter(action="api_key.issued_token")]
    assert len(events) == 2
    assert events[0]["actor_label"] == "lab"
    assert not [token for token in tokens if token in str(events) or token.rpartition(".")[2] in str(events)]


def test_use_of_a_token_is_use_of_its_key(tenant: Tenant) -> None:
    token = token_of(key_of(tenant).secret)
    with whole_database():
        ApiKey.all_tenants.update(last_used_at=None, last_used_from=None)
    client(token).get(WHOAMI, REMOTE_ADDR="192.0.2.9")
    with whole_database():
        key = ApiKey.all_tenants.get()
    assert (key.last_used_from, key.scopes) == ("192.0.2.9", ["predict", "read"])
