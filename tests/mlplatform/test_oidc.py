"""Reading the providers of single sign-on from the environment."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from mlplatform.env import Environment
from mlplatform.oidc import oidc_providers

CORP = {
    "ML_OIDC_PROVIDERS": "corp",
    "ML_OIDC_CORP_ISSUER": "https://id.corp.example/realms/ml/",
    "ML_OIDC_CORP_CLIENT_ID": "ml",
    "ML_OIDC_CORP_CLIENT_SECRET": "s3cret",
}


def test_without_the_variable_there_is_none() -> None:
    assert oidc_providers(Environment({})) == []


def test_a_provider_is_read_and_trusted_for_nothing_by_default() -> None:
    (found,) = oidc_providers(Environment(CORP))
    assert found == {
        "provider_id": "corp",
        "name": "Corp",
        "client_id": "ml",
        "secret": "s3cret",
        "settings": {"server_url": "https://id.corp.example/realms/ml", "trusted_emails": False},
    }


def test_several_providers_have_each_their_own() -> None:
    second = {
        "ML_OIDC_PROVIDERS": "corp, lab",
        "ML_OIDC_LAB_NAME": "The laboratory",
        "ML_OIDC_LAB_ISSUER": "http://localhost:9400",
        "ML_OIDC_LAB_CLIENT_ID": "x",
        "ML_OIDC_LAB_CLIENT_SECRET": "y",
        "ML_OIDC_LAB_TRUST_EMAILS": "yes",
    }
    _, lab = oidc_providers(Environment(CORP | second))
    assert (lab["name"], lab["settings"]["trusted_emails"]) == ("The laboratory", True)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("ML_OIDC_PROVIDERS", "Corp", "is no name"),
        ("ML_OIDC_PROVIDERS", "corp/../x", "is no name"),
        ("ML_OIDC_PROVIDERS", "corp,corp", "twice"),
        ("ML_OIDC_PROVIDERS", "corp,lab", "ML_OIDC_LAB_CLIENT_ID is not set"),
        ("ML_OIDC_CORP_ISSUER", "http://id.corp.example", "not encrypted"),
        ("ML_OIDC_CORP_ISSUER", "id.corp.example", "is no address"),
        ("ML_OIDC_CORP_ISSUER", "file:///etc/passwd", "is no address"),
        ("ML_OIDC_CORP_TRUST_EMAILS", "ture", "neither true nor false"),
    ],
)
def test_what_cannot_be_understood_stops_the_start(variable: str, value: str, said: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=said):
        oidc_providers(Environment(CORP | {variable: value}))
