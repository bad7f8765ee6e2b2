"""Reports over a period: what they say, that they can be made again, and what is recorded of them."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from mlplatform.errors import InvalidInput
from mlplatform.tenancy.actors import SYSTEM, Actor, ActorKind
from mlplatform.tenancy.models import AuditEvent, Tenant
from monitoring.models import Alert, DriftReport, Rollup
from monitoring.reporting.document import Report, block_data
from monitoring.services.checks import run_checks
from monitoring.services.report_days import Days, report_days
from monitoring.services.reports import make_report
from monitoring.services.rollups import roll_up
from monitoring.services.slices import set_slices
from registry.models import Prediction, RegisteredModel
from registry.services.promotion import promote
from tests.factories import make_version
from tests.monitoring.conftest import Ask, tell

ADA = Actor(ActorKind.USER, "ada@clinic.example")
DAYS_BACK = 40


def made(model: RegisteredModel | None, *, trail: bool = True, days: Days | None = None) -> Report:
    return make_report(days=days or report_days(), by=ADA, form="page", model=model, trail=trail)


def words_of(report: Report, title: str) -> str:
    chapter = next(one for one in report.content.chapters if one.title == title)
    return str([block_data(block) for block in chapter.blocks])


def past_days() -> Days:
    day = timezone.now().date() - timedelta(days=DAYS_BACK)
    return report_days(day - timedelta(days=3), day + timedelta(days=3))


def move_back(model: RegisteredModel) -> None:
    """Let what was asked until now have been asked forty days ago."""
    earlier = timezone.now() - timedelta(days=DAYS_BACK)
    Prediction.objects.filter(model=model).update(created_at=earlier)


def test_a_report_tells_in_three_sentences_how_good_the_answers_were(
    model: RegisteredModel, ask: Ask
) -> None:
    tell(ask(40))
    first, second, third = made(model).content.verdict
    assert first.startswith("cancer gave 40 answers: v1 reached F1")
    assert "over 40 outcomes" in first
    assert (
        second == "Drift was not checked; no alerts were raised, and no alerts stood unresolved as it ended."
    )
    assert third.startswith("What runs was changed once")


def test_what_is_not_known_is_said_plainly(model: RegisteredModel, ask: Ask) -> None:
    ask(10)
    report = made(model)
    assert "no outcomes came back in this period, so quality was not measured" in report.content.verdict[0]
    assert "No outcomes came back in this period" in words_of(report, "Performance")
    assert "No column of this model is watched by groups" in words_of(report, "Fairness")
    assert "Drift was not checked in this period" in words_of(report, "Drift")


def test_of_a_model_that_nobody_asked_there_is_a_report_too(model: RegisteredModel) -> None:
    report = made(model)
    assert report.content.verdict[0] == "Nobody asked cancer for an answer in this period."
    assert "No rows came in" in words_of(report, "Data")


def test_drift_alerts_groups_and_who_dealt_with_them_are_told(model: RegisteredModel, ask: Ask) -> None:
    set_slices(model=model, slices={"mean_radius": [13.0]}, by=SYSTEM)
    model.refresh_from_db()
    tell(ask(80, drifted=12), wrong=True)
    run_checks(model=model, by=SYSTEM)
    Alert.objects.update(acknowledged_at=timezone.now(), acknowledged_by="ada@clinic.example")
    report = made(model)
    assert "1 of 1 check of drift raised an alarm" in report.content.verdict[1]
    assert DriftReport.objects.get().version.number == 1
    assert "mean_radius" in words_of(report, "Drift")
    assert "'PSI" in words_of(report, "Drift")
    assert "ada@clinic.example, " in words_of(report, "Alerts")
    assert "Groups of mean_radius" in words_of(report, "Fairness")
    assert "acknowledged an alert" in words_of(report, "Human oversight")


def test_every_change_of_what_runs_is_told_with_who_and_why(model: RegisteredModel) -> None:
    second = make_version(model)
    promote(model=model, version=second, by=ADA, override=True, reason="steadier on the new scanner")
    report = made(model)
    told = words_of(report, "Deployments")
    assert "cancer v2 as champion, before v1" in told
    assert "ada@clinic.example" in told
    assert "steadier on the new scanner" in told
    assert "What runs was changed twice, once by a person" in report.content.verdict[2]
    assert "model.promoted" in words_of(report, "Human oversight")


def test_the_audit_trail_is_quoted_for_those_alone_who_may_read_it(model: RegisteredModel) -> None:
    promote(model=model, version=make_version(model), by=ADA, override=True, reason="x")
    closed = made(model, trail=False)
    assert "model.promoted" not in words_of(closed, "Human oversight")
    assert "administrators read them" in words_of(closed, "Human oversight")
    assert ("Audit trail", "counted, not quoted") in closed.made.rows


def test_a_report_on_past_days_says_the_same_whenever_and_by_whomever_it_is_made(
    model: RegisteredModel, ask: Ask
) -> None:
    tell(ask(40))
    move_back(model)
    days = past_days()
    first = made(model, days=days)
    assert "cancer gave 40 answers" in first.content.verdict[0]
    assert ("Champion", "none") in first.content.about.rows  # it was made champion today
    assert ("Champion", "none at first, v1 at the end") in made(model).content.about.rows
    # What happens afterwards changes nothing: another champion, new answers, the log itself gone.
    promote(model=model, version=make_version(model), by=SYSTEM, override=True, reason="later")
    tell(ask(20))
    roll_up()
    Prediction.objects.filter(created_at__lt=timezone.now() - timedelta(days=30)).delete()
    again = make_report(days=days, by=SYSTEM, form="pdf", model=model, trail=True)
    assert again.digest == first.digest
    assert again.made != first.made


def test_an_outcome_that_comes_late_is_added(model: RegisteredModel, ask: Ask) -> None:
    asked = ask(40)
    move_back(model)
    before = made(model, days=past_days())
    tell(asked)
    after = made(model, days=past_days())
    assert "no outcomes came back" in before.content.verdict[0]
    assert "over 40 outcomes" in after.content.verdict[0]
    assert before.digest != after.digest


def test_the_tenants_report_holds_the_models_against_each_other(model: RegisteredModel, ask: Ask) -> None:
    tell(ask(40))
    report = made(None)
    assert report.content.title.startswith("Report on North Clinic, ")
    assert "['cancer', 'v1', '40', '40', 'F1" in words_of(report, "Performance")
    assert "numbers 1 to" in words_of(report, "Records and logs")
    assert made(None).digest == report.digest  # that one was made does not change the next


def test_that_a_report_was_made_is_recorded_with_its_hash(model: RegisteredModel) -> None:
    report = made(model)
    entry = AuditEvent.objects.get(action="report.made")
    assert entry.actor_label == "ada@clinic.example"
    assert entry.object_label == "cancer"
    assert entry.details["content_hash"] == report.digest


def test_each_chapter_says_what_it_serves_and_the_list_names_each(model: RegisteredModel) -> None:
    report = made(model)
    *chapters, last = report.content.chapters
    assert all(chapter.serves for chapter in chapters)
    told = str([block_data(block) for block in last.blocks])
    for article in {key for chapter in chapters for key in chapter.serves}:
        assert f"'{article}'" in told
    assert "It is no declaration that a duty is fulfilled." in told


def test_a_log_that_is_kept_shorter_than_the_act_asks_for_is_told(model: RegisteredModel) -> None:
    kept = dict(made(model).made.rows)["Log kept at present"]
    assert kept == "90 days; Articles 19 and 26(6) ask for six months at least; counts stay"


def test_days_are_those_of_the_tenants_clocks(in_tenant: Tenant) -> None:
    in_tenant.time_zone = "Pacific/Auckland"
    days = report_days(date(2026, 1, 5), date(2026, 1, 5))
    assert days.zone == "Pacific/Auckland"
    assert days.period.since.isoformat() == "2026-01-04T11:00:00+00:00"
    assert (days.period.until - days.period.since) == timedelta(days=1)


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (date(2026, 2, 2), date(2026, 2, 1), "ends before it begins"),
        (date(2020, 1, 1), date(2026, 1, 1), "1,100 days at most"),
        (date.max, date.max, "that old, or that new"),
        (date.min, date.min, "that old, or that new"),
    ],
)
def test_days_that_cannot_be_are_refused(in_tenant: Tenant, first: date, last: date, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        report_days(first, last)


def test_days_to_come_are_refused(in_tenant: Tenant) -> None:
    day = timezone.now().date() + timedelta(days=3)
    with pytest.raises(InvalidInput, match="yet to come"):
        report_days(day, day)


def test_nothing_is_read_that_belongs_to_slices(model: RegisteredModel, ask: Ask) -> None:
    set_slices(model=model, slices={"mean_radius": [13.0]}, by=SYSTEM)
    model.refresh_from_db()
    ask(40)
    report = made(model)
    assert Rollup.objects.exclude(slice_column="").exists()
    assert "'Answers logged and counted', '40'" in words_of(report, "Records and logs")
