"""The form of a schedule: times as people say them, the fields of one kind at a time."""

import re
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from mlplatform.admin.links import add_url, command_url, page_url
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Role, Tenant
from registry.models import RegisteredModel
from tests.conftest import ConsoleFor
from tests.factories import make_model
from training.admin.schedule_forms import FIELDS, KINDS, OF_A_KIND
from training.models import RetrainingSchedule
from training.services.schedules import create_schedule

pytestmark = pytest.mark.usefixtures("in_tenant")
ADD = add_url("training.retrainingschedule")
ZONE = "Europe/Berlin"


@pytest.fixture
def model() -> RegisteredModel:
    return make_model()


@pytest.fixture
def operator(tenant: Tenant, console_for: ConsoleFor) -> Client:
    return console_for(tenant, Role.OPERATOR)


def _send(operator: Client, model: RegisteredModel, **times: Any) -> Any:
    sent = {"model": model.pk, "name": "Nightly", "timezone": ZONE} | times
    return operator.post(ADD, sent, follow=True)


@pytest.mark.parametrize(
    ("sent", "stored", "words"),
    [
        (
            {"kind": "daily", "at": "04:30"},
            ("cron", "30 4 * * *", None, "", ZONE),
            f"every day at 04:30 ({ZONE})",
        ),
        (
            {"kind": "weekly", "weekday": "5", "at": "22:00"},
            ("cron", "0 22 * * 5", None, "", ZONE),
            f"every Friday at 22:00 ({ZONE})",
        ),
        (
            {"kind": "monthly", "day": "15", "at": "00:00"},
            ("cron", "0 0 15 * *", None, "", ZONE),
            f"on day 15 of every month at 00:00 ({ZONE})",
        ),
        (
            {"kind": "interval", "every": "12", "unit": "hours"},
            ("interval", "", 12, "hours", ZONE),
            "every 12 hours",
        ),
        (
            {"kind": "cron", "cron": "0 9 * * mon-fri"},
            ("cron", "0 9 * * mon-fri", None, "", ZONE),
            f"by the cron line 0 9 * * mon-fri ({ZONE})",
        ),
    ],
    ids=[str(kind) for kind, _ in KINDS],
)
def test_each_kind_of_times_is_stored_and_told_in_words(
    operator: Client, model: RegisteredModel, sent: dict[str, str], stored: tuple[Any, ...], words: str
) -> None:
    page = _send(operator, model, **sent).content.decode()
    made = RetrainingSchedule.objects.get()
    assert (made.kind, made.cron, made.every, made.unit, made.timezone) == stored
    assert words in page
    assert page[page.index("Next five runs") :].count("<time") == 5


@pytest.mark.parametrize("kind", [str(kind) for kind, _ in KINDS])
def test_what_was_typed_for_another_kind_counts_for_nothing(
    operator: Client, model: RegisteredModel, kind: str
) -> None:
    right = {"at": "03:00", "weekday": "1", "day": "1", "every": "2", "unit": "days", "cron": "0 3 * * *"}
    wrong = {"at": "noon", "weekday": "9", "day": "40", "every": "-1", "unit": "years", "cron": "often"}
    sent = {name: (right if name in FIELDS[kind] else wrong)[name] for name in right}
    answer = _send(operator, model, kind=kind, **sent)
    assert answer.redirect_chain, answer.context["form"].errors
    assert RetrainingSchedule.objects.count() == 1


@pytest.mark.parametrize(
    ("sent", "field", "words"),
    [
        ({"kind": "daily", "at": ""}, "at", "Say when"),
        ({"kind": "daily", "at": "half past"}, "at", "valid time"),
        ({"kind": "weekly", "at": "03:00", "weekday": "9"}, "weekday", "valid choice"),
        ({"kind": "weekly", "at": "03:00"}, "weekday", "Say when"),
        ({"kind": "monthly", "at": "03:00", "day": "32"}, "day", "less than or equal to 31"),
        ({"kind": "interval", "unit": "hours"}, "every", "Every how many hours?"),
        ({"kind": "interval", "every": "2"}, "unit", "Choose a unit"),
        ({"kind": "cron", "cron": "every day"}, "cron", "Write five fields"),
        ({"kind": "daily", "at": "03:00", "timezone": "Mars/Olympus"}, "timezone", "valid choice"),
        ({"kind": "hourly"}, "kind", "valid choice"),
    ],
)
def test_what_is_missing_or_wrong_is_told_at_its_own_field(
    operator: Client, model: RegisteredModel, sent: dict[str, str], field: str, words: str
) -> None:
    errors = _send(operator, model, **sent).context["form"].errors
    assert words in " ".join(errors[field])
    assert set(errors) <= {field, "__all__"}
    assert not RetrainingSchedule.objects.exists()


@pytest.mark.parametrize(
    ("times", "shown"),
    [
        ({"cron": "30 4 * * *"}, {"kind": "daily", "at": "04:30"}),
        ({"cron": "0 22 * * fri"}, {"kind": "weekly", "weekday": "5", "at": "22:00"}),
        ({"cron": "0 0 15 * *"}, {"kind": "monthly", "day": 15, "at": "00:00"}),
        ({"cron": "*/20 * * * *"}, {"kind": "cron", "cron": "*/20 * * * *"}),
        (
            {"kind": "interval", "every": 6, "unit": "hours"},
            {"kind": "interval", "every": 6, "unit": "hours"},
        ),
    ],
)
def test_a_schedule_is_edited_as_it_would_be_said_and_saved_as_it_was(
    operator: Client, model: RegisteredModel, times: dict[str, Any], shown: dict[str, Any]
) -> None:
    made = create_schedule(model=model, name="Nightly", by=SYSTEM, **times)
    form = operator.get(command_url(made, "edit")).context["form"]
    drawn = {name: form[name].value() for name in form.fields}
    sent = {
        name: f"{value:%H:%M}" if isinstance(value, time) else value
        for name, value in drawn.items()
        if value is not None
    }
    assert {name: sent[name] for name in shown} == shown
    before = (made.kind, made.every, made.unit, made.timezone)
    assert operator.post(command_url(made, "edit"), sent)["Location"] == page_url(made)
    made.refresh_from_db()
    assert (made.kind, made.every, made.unit, made.timezone) == before
    assert made.cron == times.get("cron", "").replace("fri", "5")


def test_the_styles_hide_every_field_but_those_of_the_chosen_kind(operator: Client) -> None:
    page = operator.get(ADD).content.decode()
    for name in OF_A_KIND:
        [drawn] = re.findall(rf'<(?:input|select)[^>]*name="{name}"[^>]*>', page)
        [kinds] = re.findall(r'data-times="([^"]*)"', drawn)
        assert set(kinds.split()) == {str(kind) for kind, names in FIELDS.items() if name in names}
    found = finders.find("platform/console.css")
    assert isinstance(found, str)
    styles = Path(found).read_text()
    for kind, _ in KINDS:
        assert f"option[value={kind}]:checked) .c-field:has([data-times~={kind}])" in styles
