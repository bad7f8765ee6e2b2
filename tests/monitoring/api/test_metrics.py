"""Metrics: of the tenant's models for its staff, of everything for the operator."""

import re

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Role, Tenant, User
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.selection import SESSION_KEY
from mlplatform.tenancy.services.tenants import add_member
from monitoring.services import system_metrics
from monitoring.services.exposition import Family, Sample, exposed, histogram
from monitoring.services.model_health import look_at_models
from monitoring.services.system_health import look_at_system
from registry.models.request_tally import RequestOutcome
from registry.services.request_tallies import TALLIES
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_champion, make_model

URL, SYSTEM_URL = "/metrics", "/api/v1/system/metrics"
TOKEN = "a-token-of-the-operator"


@pytest.fixture
def asked(tenant: Tenant, other_tenant: Tenant) -> Tenant:
    """A clinic whose model was asked three times, and a winery with a model of its own."""
    for one, name in ((tenant, "cancer"), (other_tenant, "wine-quality")):
        with tenant_scope(one):
            make_champion(make_model(name, data="cancer"))
            look_at_models(timezone.now())
    look_at_system(timezone.now())
    for seconds in (0.004, 0.02, 20.0):
        TALLIES.note(tenant, "cancer", 1, RequestOutcome.ANSWERED, seconds)
    TALLIES.note(tenant, "cancer", 0, RequestOutcome.THROTTLED, 0.001)
    TALLIES.flush()
    return tenant


def scraped(settings: Settings, token: str = TOKEN) -> str:
    settings.METRICS_TOKEN = TOKEN
    answer = APIClient().get(URL, HTTP_AUTHORIZATION=f"Bearer {token}")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    told: str = answer.content.decode()
    return told


def test_the_operators_prometheus_reads_everything(asked: Tenant, settings: Settings) -> None:
    told = scraped(settings).splitlines()
    mine = 'tenant="clinic",model="cancer"'
    assert f'mlplatform_requests_total{{{mine},outcome="answered"}} 3' in told
    assert f'mlplatform_requests_total{{{mine},outcome="throttled"}} 1' in told
    assert f'mlplatform_request_duration_seconds_bucket{{{mine},le="0.005"}} 1' in told
    assert f'mlplatform_request_duration_seconds_bucket{{{mine},le="10"}} 2' in told
    assert f'mlplatform_request_duration_seconds_bucket{{{mine},le="+Inf"}} 3' in told
    assert f"mlplatform_request_duration_seconds_count{{{mine}}} 3" in told
    assert f"mlplatform_model_health{{{mine}}} 1" in told
    assert 'mlplatform_part_up{part="database"} 1' in told
    assert 'mlplatform_part_up{part="workers"} 0' in told
    assert any('model="wine-quality"' in line for line in told)


def test_every_line_is_of_the_format(asked: Tenant, settings: Settings) -> None:
    line = re.compile(r'(# (HELP|TYPE) \w+ .+|\w+(\{(\w+="[^"\n]*",?)+\})? ([+-]?[\d.e+-]+|[+-]Inf))')
    assert [one for one in scraped(settings).splitlines() if not line.fullmatch(one)] == []


def test_counters_only_grow_when_hours_are_kept_no_longer(asked: Tenant, settings: Settings) -> None:
    TALLIES.note(asked, "cancer", 1, RequestOutcome.ANSWERED, 0.1)
    TALLIES.flush()
    assert 'model="cancer",outcome="answered"} 4' in scraped(settings)


def test_models_beyond_the_bound_are_told_together(
    asked: Tenant, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tenant_scope(asked):
        make_model("zebra")
    TALLIES.note(asked, "zebra", 1, RequestOutcome.FAILED, 0.1)
    TALLIES.flush()
    monkeypatch.setattr(system_metrics, "MOST_MODELS", 1)
    told = scraped(settings)
    assert 'model="cancer",outcome="answered"} 3' in told
    assert 'tenant="clinic",model="_others",outcome="failed"} 1' in told
    assert "zebra" not in told


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer wrong-token-of-someone", f"Basic {TOKEN}"])
def test_nobody_else_reads_them(tenant: Tenant, settings: Settings, header: str) -> None:
    settings.METRICS_TOKEN = TOKEN
    answer = APIClient().get(URL, HTTP_AUTHORIZATION=header)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="metrics"')


def test_without_a_token_no_token_opens_them(tenant: Tenant, api_for: ApiFor, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    assert APIClient().get(URL, HTTP_AUTHORIZATION="Bearer ").status_code == 401
    assert api_for(tenant).get(URL).status_code == 401


def owner(tenant: Tenant) -> Client:
    """A platform administrator who is a member of the tenant as well."""
    email = "root@platform.example"
    User.objects.create_superuser(email, "a-Long-pass-9")
    with tenant_scope(tenant):
        add_member(email=email, role=Role.VIEWER, by=SYSTEM, name="Root")
    client = Client()
    client.force_login(User.objects.get(email=email))
    session = client.session
    session[SESSION_KEY] = tenant.pk
    session.save()
    return client


def test_nobody_who_is_signed_in_reads_them(asked: Tenant, console_for: ConsoleFor) -> None:
    """They name every tenant's models, which a platform administrator does not see either."""
    assert owner(asked).get(URL).status_code == 401
    assert console_for(asked).get(URL).status_code == 401


def test_staff_see_their_tenants_models_and_nothing_of_the_installation(
    asked: Tenant, api_for: ApiFor
) -> None:
    body = api_for(asked, "read").get(SYSTEM_URL).json()
    assert [one["name"] for one in body["models"]] == ["cancer"]
    [health] = body["models"]
    assert (health["state"], health["reasons"], len(health["cells"])) == ("idle", ["not_asked"], 288)
    assert health["cells"][-1] == "idle"
    assert health["cells"][0] is None
    assert body["system"] is None
    assert body["counts"]["models"] == 1


def test_the_operator_sees_the_installation_as_well(asked: Tenant) -> None:
    body = owner(asked).get(SYSTEM_URL).json()
    parts = {one["name"]: one["state"] for one in body["system"]}
    assert parts["database"] == parts["storage"] == "good"
    assert parts["workers"] == "bad"


def test_the_console_shows_the_day_as_a_strip(asked: Tenant, console_for: ConsoleFor) -> None:
    page = console_for(asked).get("/admin/health/").content.decode()
    assert "p-strip-muted" in page
    assert "Nobody asked it in the last 24 hours." in page
    assert "The installation" not in page
    assert "wine-quality" not in page
    assert "Storage of files" in owner(asked).get("/admin/health/").content.decode()


def test_labels_are_escaped_and_numbers_short() -> None:
    text = exposed([Family("a", "gauge", "Told.", [Sample(0.5, {"x": 'a"b\\c\nd'}), Sample(2.0)])])
    assert text == '# HELP a Told.\n# TYPE a gauge\na{x="a\\"b\\\\c\\nd"} 0.5\na 2\n'


def test_buckets_add_up() -> None:
    samples = histogram({}, [0.1, 1.0], [2, 3, 4], 9.5)
    assert [(one.suffix, one.value) for one in samples] == [
        ("_bucket", 2), ("_bucket", 5), ("_bucket", 9), ("_sum", 9.5), ("_count", 9),
    ]  # fmt: skip
