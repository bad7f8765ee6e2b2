"""The console's lists: what they show, find, narrow down and cost, and what they say while empty."""

import html
import re

import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.links import list_url
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Membership, Tenant, Usage
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.services.serving import predict
from tests.conftest import ConsoleFor
from tests.console import WITH_PAGES, Furnished, furnish
from tests.factories import make_model, rows_of
from training.services.schedules import create_schedule

# A list, words to search for, and a word of the row that is found.
SEARCHES = [
    ("registry.registeredmodel", "canc", "cancer"),
    ("registry.dataset", "canc", "cancer"),
    ("training.retrainingschedule", "night", "Nightly"),
    ("training.trainingjob", "cancer", "Queued"),
    ("tenancy.apikey", "labor", "laboratory"),
    ("tenancy.membership", "someone", "someone@clinic.example"),
    ("monitoring.alert", "drifted", "inputs have drifted"),
    ("tenancy.auditevent", "model.promoted", "model.promoted"),
]
FILTERS = [
    ("training.trainingjob", "state__exact=queued", "state__exact=failed"),
    ("training.retrainingschedule", "enabled__exact=1", "enabled__exact=0"),
    ("monitoring.alert", "state__exact=open", "state__exact=resolved"),
    ("monitoring.alertrule", "metric__exact=drift_share", "severity__exact=info"),
    ("monitoring.retrainingdecision", "state__exact=declined", "state__exact=promoted"),
    ("registry.modelversion", "status__exact=ready", "status__exact=failed"),
    ("registry.deployment", "action__exact=promote", "action__exact=rollback"),
    ("feedback.outcome", "current__exact=1", "current__exact=0"),
]

# Whoever looks is a member, and how the tenant came to be is on record.
NEVER_EMPTY = (Membership, AuditEvent, Usage)


@pytest.fixture
def furnished(tenant: Tenant) -> Furnished:
    """A clinic with a row at least of everything."""
    return furnish(tenant)


@pytest.fixture
def client(furnished: Furnished, console_for: ConsoleFor) -> Client:
    """Its admin, signed in."""
    return console_for(furnished.tenant)


def text_of(client: Client, address: str) -> str:
    """The page's words, without its markup."""
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def rows_on(client: Client, address: str) -> int:
    """How many rows the list counts."""
    answer = client.get(address)
    assert answer.status_code == 200, address
    return int(answer.context["cl"].result_count)


def admin_of(table: type[Model]) -> PlatformModelAdmin:
    page_admin = console._registry[table]
    assert isinstance(page_admin, PlatformModelAdmin)
    return page_admin


def test_searches_find_what_fits_and_nothing_else(client: Client) -> None:
    for table, words, found in SEARCHES:
        assert found in text_of(client, list_url(table, q=words)), table
        assert rows_on(client, list_url(table, q="zzzz-nothing")) == 0, table


def test_filters_keep_what_fits_and_leave_out_the_rest(client: Client) -> None:
    for table, fitting, unfitting in FILTERS:
        assert rows_on(client, f"{list_url(table)}?{fitting}") > 0, (table, fitting)
        assert rows_on(client, f"{list_url(table)}?{unfitting}") == 0, (table, unfitting)


def test_lists_can_be_sorted_by_every_column_that_offers_it(client: Client) -> None:
    for table in WITH_PAGES:
        columns = range(1, len(admin_of(table).list_display) + 1)
        for sign in ("", "-"):
            by_all = ".".join(f"{sign}{column}" for column in columns)
            assert client.get(f"{list_url(table._meta.label_lower)}?o={by_all}").status_code == 200, table


def test_an_empty_list_says_what_to_do(tenant: Tenant, console_for: ConsoleFor) -> None:
    client = console_for(tenant)
    for table in WITH_PAGES:
        if table in NEVER_EMPTY:
            continue
        page = client.get(list_url(table._meta.label_lower)).content.decode()
        assert escape(admin_of(table).empty_title) in page, table
        assert admin_of(table).empty_hint, table
        assert escape(admin_of(table).empty_hint) in page, table


def test_more_rows_cost_no_more_queries(client: Client, furnished: Furnished) -> None:
    before = costs(client)
    with tenant_scope(furnished.tenant), tenant_transaction():
        for number in range(3):
            model = make_model(f"model-{number}")
            create_schedule(model=model, name=f"every {number}", by=SYSTEM, cron=f"{number} 3 * * *")
        predict(model=furnished.model, rows=rows_of(furnished.champion, 5), by=SYSTEM)
    after = costs(client)
    dearer = {name: (before[name], count) for name, count in after.items() if count > before[name]}
    assert dearer == {}


def costs(client: Client) -> dict[str, int]:
    """How many queries each list takes."""
    found = {}
    for table in WITH_PAGES:
        with CaptureQueriesContext(connection) as queries:
            client.get(list_url(table._meta.label_lower))
        found[table._meta.label_lower] = len(queries)
    return found


def test_pages_tell_the_story_of_the_loop(client: Client, furnished: Furnished) -> None:
    model = text_of(client, f"{list_url('registry.registeredmodel')}{furnished.model.pk}/change/")
    for word in ("cancer", "diagnosis", "Outcomes", "Nightly"):
        assert word in model, word
    version = text_of(client, f"{list_url('registry.modelversion')}{furnished.champion.pk}/change/")
    for word in ("Champion", "mean_radius", "F1 (macro)", "malignant"):
        assert word in version, word


def test_the_audit_trail_links_what_still_exists(client: Client, furnished: Furnished) -> None:
    trail = client.get(list_url("tenancy.auditevent", action__exact="model.created"))
    event = trail.context["cl"].result_list[0]
    page = client.get(f"{list_url('tenancy.auditevent')}{event.pk}/change/").content.decode()
    assert f"/admin/registry/registeredmodel/{furnished.model.pk}/change/" in page
