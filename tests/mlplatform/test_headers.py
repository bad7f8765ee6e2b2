"""The headers that keep a browser from being turned against its owner, on every sort of answer."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from mlplatform.headers import API_DOCS_POLICY, CLOSED_POLICY, CONSOLE_POLICY, FIXED
from mlplatform.tenancy.models import Tenant
from tests.conftest import ApiFor, ConsoleFor
from tests.mlplatform.identity.provider import Provider

ROOT = Path(__file__).resolve().parents[2]
Ask = Callable[..., Any]
CHUNKED = {"Transfer-Encoding": "chunked"}
EVIL = {"Host": "evil.example"}
ON_EVERY_ANSWER = {
    **FIXED,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def policy_of(answer: Any) -> dict[str, list[str]]:
    """Return the content policy's directives."""
    parts = [part.split() for part in answer["Content-Security-Policy"].split(";") if part.strip()]
    return {name: values for name, *values in parts}


@pytest.fixture
def ask(tenant: Tenant, api_for: ApiFor, console_for: ConsoleFor) -> Ask:
    """Return a function that asks for an address as nobody, as the tenant's key, or as its admin."""
    clients = {"nobody": Client(), "key": api_for(tenant), "admin": console_for(tenant)}
    return lambda who, path, **headers: clients[who].get(path, headers=headers)


PAGES = [
    ("nobody", "/account/login/", 200),
    ("nobody", "/nothing-here", 404),
    ("admin", "/admin/", 200),
    ("admin", "/admin/tenancy/auditevent/", 200),
    ("admin", "/admin/registry/nothing/", 404),
]
OTHER = [
    ("nobody", "/api/v1/models", 401),
    ("nobody", "/api/v1/health/live", 200),
    ("key", "/api/v1/models", 200),
    ("key", "/api/v1/models/nothing", 404),
    ("key", "/api/v1/schema/", 200),
    ("key", "/api/v1/audit/export", 200),
]


@pytest.mark.parametrize(("who", "path", "status"), [*PAGES, *OTHER])
def test_every_answer_has_the_headers_and_stays_in_no_cache(
    ask: Ask, who: str, path: str, status: int
) -> None:
    answer = ask(who, path)
    assert answer.status_code == status
    assert {name: answer[name] for name in ON_EVERY_ANSWER} == ON_EVERY_ANSWER
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize(("who", "path", "status"), PAGES)
def test_a_page_runs_the_platforms_own_scripts_only(ask: Ask, who: str, path: str, status: int) -> None:
    assert policy_of(ask(who, path)) == CONSOLE_POLICY
    assert "'unsafe-inline'" not in CONSOLE_POLICY["script-src"]


def test_a_forms_answer_may_lead_to_the_configured_providers_and_nowhere_else(
    ask: Ask, settings: Settings
) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = Provider("https://id.corp.example:8443/realms/x").settings()
    policy = policy_of(ask("nobody", "/account/login/"))
    assert policy == CONSOLE_POLICY | {"form-action": ["'self'", "https://id.corp.example:8443"]}


@pytest.mark.parametrize(("who", "path", "status"), OTHER)
def test_what_is_no_page_shows_and_runs_nothing(ask: Ask, who: str, path: str, status: int) -> None:
    assert policy_of(ask(who, path)) == CLOSED_POLICY


@pytest.mark.parametrize("headers", [CHUNKED, EVIL])
@pytest.mark.parametrize("path", ["/api/v1/models", "/admin/"])
def test_what_is_refused_before_any_view_has_them_too(ask: Ask, path: str, headers: dict[str, str]) -> None:
    answer = ask("nobody", path, **headers)
    assert answer.status_code in {400, 411}
    assert {name: answer[name] for name in ON_EVERY_ANSWER} == ON_EVERY_ANSWER
    assert policy_of(answer)["frame-ancestors"] == ["'none'"]


def test_files_of_the_theme_are_not_sniffed_and_may_be_kept(ask: Ask) -> None:
    answer = ask("nobody", "/static/platform/console.css")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert policy_of(answer) == CLOSED_POLICY
    assert "no-store" not in answer["Cache-Control"]
    answer.close()


def test_the_api_reference_runs_no_script_of_its_page(ask: Ask) -> None:
    page = ask("admin", "/api/v1/docs/")
    assert policy_of(page) == API_DOCS_POLICY
    assert "<script>" not in page.content.decode()
    script = ask("admin", "/api/v1/docs/?script=")
    assert script["Content-Type"] == "application/javascript"
    assert "SwaggerUIBundle" in script.content.decode()


def test_a_download_is_an_attachment(ask: Ask) -> None:
    answer = ask("key", "/api/v1/audit/export?format=csv")
    assert answer["Content-Disposition"].startswith("attachment;")
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_over_https_the_browser_is_told_to_stay_there(ask: Ask, settings: Settings) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    answer = ask("nobody", "/account/login/", **{"X-Forwarded-Proto": "https"})
    assert answer["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


PRODUCTION = {"ML_HTTPS": "1", "ML_ALLOWED_HOSTS": "ml.example.org", "ML_MASTER_KEYS": "ab" * 32}
IN_PRODUCTION = """
import json
from django import setup
from django.conf import settings
from django.core.management import call_command
setup()
call_command("check", deploy=True, fail_level="WARNING")
names = ("SESSION_COOKIE_NAME", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "DEBUG")
print(json.dumps([getattr(settings, name) for name in names]))
"""


def test_djangos_check_finds_nothing_in_production_and_cookies_stay_with_this_host(tmp_path: Path) -> None:
    kept = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "mlplatform.settings"}
    env = kept | PRODUCTION | {"ML_DATA_DIR": str(tmp_path / "data")}
    command = [sys.executable, "-W", "error", "-c", IN_PRODUCTION]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    words, cookies = done.stdout.splitlines()
    assert "no issues" in words
    assert json.loads(cookies) == ["__Host-sessionid", True, True, True, False]
