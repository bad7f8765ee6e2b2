"""How models and the installation are, written down every five minutes and shown as a day at a glance."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from mlplatform.heartbeats import BEAT, fall_silent, heard, sign_of_life
from mlplatform.models import Heartbeat
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from monitoring.models import Alert, DriftReport, ModelHealth, SystemHealth
from monitoring.models.health import HealthState
from monitoring.services.checks import run_checks
from monitoring.services.health_spans import CELLS, EVERY, Finding, Health, strip_of, written_down
from monitoring.services.model_health import health_of_models, look_at_models
from monitoring.services.rollups import roll_up
from monitoring.services.system_health import PARTS, health_of_system, look_at_system, system_now
from registry.models import RegisteredModel
from tests.factories import make_model
from tests.monitoring.conftest import Ask, tell
from tests.monitoring.services.test_request_figures import count

MINUTE = timedelta(minutes=1)
NOW = datetime(2026, 6, 1, 12, tzinfo=timezone.get_current_timezone())


def told(model: RegisteredModel) -> ModelHealth:
    """How the model is, as it was just written down."""
    roll_up()
    now = timezone.now()
    look_at_models(now)
    [(_, strip)] = health_of_models(now, model)
    assert isinstance(strip.now, ModelHealth)
    return strip.now


def test_a_model_that_answers_well_is_well(model: RegisteredModel, ask: Ask) -> None:
    tell(ask(40))
    run_checks(model=model, by=SYSTEM)
    assert (told(model).state, told(model).reasons, told(model).words) == ("good", [], "")


def test_a_model_that_nobody_asks_is_idle_and_so_is_one_without_a_version(model: RegisteredModel) -> None:
    assert (told(model).state, told(model).reasons) == ("idle", ["not_asked"])
    assert told(make_model("other")).reasons == ["not_deployed"]


@pytest.mark.parametrize(("failed", "state"), [(2, "warn"), (40, "bad")])
def test_errors_are_told_at_once(model: RegisteredModel, failed: int, state: str) -> None:
    count(model, answered=60, failed=failed)
    found = told(model)
    assert (found.state, found.reasons) == (state, ["errors"])
    assert f"{failed} of the last {60 + failed} requests were not answered" in found.words


@pytest.mark.parametrize(
    ("severity", "cause", "state", "reason"),
    [
        ("warning", "", "warn", "warning_alert"),
        ("critical", "", "bad", "critical_alert"),
        ("critical", "artifact", "bad", "damaged_file"),
    ],
)
def test_open_alerts_count_by_their_gravity(
    model: RegisteredModel, ask: Ask, severity: str, cause: str, state: str, reason: str
) -> None:
    ask(5)
    Alert.objects.create(
        model=model,
        severity=severity,
        cause=cause,
        title="It is damp",
        message="x",
        last_seen_at=timezone.now(),
    )
    found = told(model)
    assert (found.state, found.reasons) == (state, [reason])
    assert "It is damp" in found.words
    Alert.objects.update(state="resolved")
    assert told(model).state == "good"


def test_lost_quality_and_drift_need_a_look(model: RegisteredModel, ask: Ask) -> None:
    tell(ask(60, drifted=20), wrong=True)
    run_checks(model=model, by=SYSTEM)
    Alert.objects.update(state="resolved")
    found = told(model)
    assert (found.state, found.reasons) == ("warn", ["drift", "quality"])
    assert "outcomes; " in found.words
    DriftReport.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert told(model).reasons == ["quality"]  # what was found two days ago says nothing of now


def test_looks_that_find_the_same_are_one_stretch(model: RegisteredModel) -> None:
    begins = timezone.now()
    for number in range(3):
        look_at_models(begins + number * EVERY)
    span = ModelHealth.objects.get()
    assert (span.begins, span.ends) == (begins, begins + 2 * EVERY)
    count(model, answered=10, failed=10)
    look_at_models(begins + 3 * EVERY)
    assert ModelHealth.objects.count() == 2


def test_what_is_older_than_two_days_goes(model: RegisteredModel) -> None:
    now = timezone.now()
    look_at_models(now - timedelta(days=3))
    look_at_models(now)
    assert ModelHealth.objects.count() == 1


def test_many_models_take_few_statements(
    model: RegisteredModel, django_assert_max_num_queries: object
) -> None:
    for number in range(20):
        make_model(f"model-{number}")
    look_at_models(timezone.now())
    with django_assert_max_num_queries(12):  # type: ignore[operator]  # a context manager
        assert look_at_models(timezone.now() + EVERY) == 21


def span(minutes: int, lasting: int, state: str = "good") -> SystemHealth:
    """A stretch that began so many minutes ago."""
    begins = NOW - minutes * MINUTE
    return SystemHealth(part="x", state=state, begins=begins, ends=begins + lasting * MINUTE)


def test_a_day_is_288_cells_with_gaps_where_nobody_looked() -> None:
    strip = strip_of([span(1440, 700), span(59, 54), span(29, 0, "bad")], NOW)
    states = [cell.state for cell in strip.cells]
    assert len(states) == CELLS == 288
    assert states[:141] == [HealthState.GOOD] * 141
    assert states[141:276] == [None] * 135
    assert states[276:282] == [HealthState.GOOD] * 6
    assert (
        states[282:284] == [HealthState.BAD] * 2
    )  # the gravest of the five minutes, and it vouches for five
    assert states[284:] == [HealthState.GOOD] * 4
    assert strip.now is not None


def test_an_old_look_says_nothing_of_now() -> None:
    assert strip_of([span(60, 10)], NOW).now is None
    assert strip_of([], NOW).now is None


def test_a_late_look_begins_anew() -> None:
    one = span(30, 0)
    new, going_on = written_down({"x": Health()}, {"x": one}, NOW)
    assert ([key for key, _ in new], going_on) == (["x"], [])
    one = span(6, 0)
    assert written_down({"x": Health()}, {"x": one}, NOW) == ([], [one])
    assert one.ends == NOW


def test_the_gravest_finding_is_the_verdict_and_comes_first() -> None:
    found = Health([Finding("b", HealthState.WARN, "So so."), Finding("a", HealthState.BAD, "Bad.")])
    assert (found.state, found.reasons, found.words) == (HealthState.BAD, ["a", "b"], "Bad. So so.")


@pytest.fixture
def alive(db: None) -> None:
    """A scheduler and a worker that were heard of just now."""
    sign_of_life(BEAT)
    sign_of_life("worker:celery@here")


@pytest.mark.usefixtures("alive")
def test_an_installation_that_works_is_well() -> None:
    now = timezone.now()
    assert {part: health.state for part, health in look_at_system(now).items()} == dict.fromkeys(
        PARTS, "good"
    )
    strips = dict(health_of_system(now))
    assert tuple(strips) == PARTS
    assert strips["database"].cells[-1].state == HealthState.GOOD


@pytest.mark.usefixtures("alive")
def test_silent_processes_are_told_and_gone_ones_forgotten() -> None:
    later = timezone.now() + timedelta(minutes=10)
    found = system_now(later)
    assert (
        found["scheduler"].words == "The scheduler is silent for 10 min. Start it: exactly one celery beat."
    )
    assert found["workers"].state == "bad"
    Heartbeat.objects.create(name="worker:celery@there", at=later)
    some = system_now(later)["workers"]
    assert (some.state, some.reasons) == ("warn", ["some_silent"])
    assert "celery@here for 10 min" in some.words
    assert sorted(heard(later + timedelta(days=1))) == ["beat", "worker:celery@there"]


def test_a_worker_that_was_stopped_is_not_missed(alive: None) -> None:
    fall_silent("worker:celery@here")
    assert list(heard(timezone.now())) == ["beat"]


def test_nobody_was_ever_heard_of(db: None) -> None:
    found = system_now(timezone.now())
    assert found["scheduler"].words.startswith("The scheduler was never heard of.")
    assert found["workers"].state == "bad"


def test_a_tenant_sees_its_own_models_alone(model: RegisteredModel, other_tenant: Tenant) -> None:
    look_at_models(timezone.now())
    assert [one.name for one, _ in health_of_models(timezone.now())] == ["cancer"]
