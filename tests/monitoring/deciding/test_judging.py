"""The rules and limits of a policy, one by one."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from monitoring.deciding.history import (
    AlertSpan,
    Counts,
    History,
    Measured,
    Reign,
    Span,
    Trained,
    situation_at,
)
from monitoring.deciding.retraining import Judgement, judge
from monitoring.deciding.terms import QuietHours, Terms

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
DAY = timedelta(days=1)
OFF = Terms(
    enabled=True,
    on_drift=False,
    on_performance=False,
    threshold=0.7,
    usual_threshold=True,
    loss=None,
    max_age=None,
    feedback=None,
    volume=None,
    minimum_new=50,
    cooldown=timedelta(hours=1),
    budget=None,
    quiet=None,
)
PAST = History(
    metric="F1",
    higher_is_better=True,
    learns="outcomes",
    reigns=(Reign(NOW - 10 * DAY, 1, 0.9),),
    trained=(Trained(NOW - 10 * DAY, NOW - 10 * DAY, 1),),
    outcomes=Counts([NOW - 11 * DAY, NOW - DAY], [1000, 60]),
    rows=Counts([NOW - DAY], [500]),
)
DRIFTED = (AlertSpan(NOW - DAY, None, 7, "drift", "Inputs have drifted"),)
WORSE = (Measured(NOW - DAY, 1, 0.6, 100),)


def judged(terms: dict[str, Any], past: dict[str, Any] | None = None) -> Judgement:
    return judge(replace(OFF, **terms), situation_at(replace(PAST, **(past or {})), NOW))


@pytest.mark.parametrize(
    ("terms", "past", "cause"),
    [
        ({"on_drift": True}, {"alerts": DRIFTED}, "drift"),
        ({"on_performance": True}, {"measured": WORSE}, "performance"),
        ({"on_performance": True, "loss": 0.2, "threshold": None}, {"measured": WORSE}, "performance"),
        ({"max_age": 10 * DAY}, {}, "age"),
        ({"feedback": 60}, {}, "feedback"),
        ({"volume": 500}, {}, "volume"),
    ],
)
def test_each_rule_calls_for_retraining(terms: dict[str, Any], past: dict[str, Any], cause: str) -> None:
    found = judged(terms, past)
    assert found.retrain
    assert found.call is not None
    assert found.call.cause == cause
    assert found.numbers["new_outcomes"] == 60


@pytest.mark.parametrize(
    ("terms", "past"),
    [
        ({}, {"alerts": DRIFTED, "measured": WORSE}),
        ({"on_drift": True}, {"alerts": (replace(DRIFTED[0], ends=NOW - timedelta(hours=1)),)}),
        ({"on_performance": True}, {"measured": (replace(WORSE[0], labelled=29),)}),
        ({"on_performance": True}, {"measured": (replace(WORSE[0], at=NOW - 11 * DAY),)}),
        ({"on_performance": True}, {"measured": WORSE, "reigns": (Reign(NOW - 10 * DAY, 1, 0.65),)}),
        ({"on_performance": True}, {"measured": WORSE, "higher_is_better": False}),
        ({"on_performance": True, "threshold": None, "loss": 0.4}, {"measured": WORSE}),
        ({"max_age": 11 * DAY}, {}),
        ({"max_age": 10 * DAY}, {"retrainings": (Span(NOW - 2 * DAY, NOW - DAY),)}),
        ({"feedback": 61}, {}),
        ({"volume": 501}, {}),
        ({"feedback": 60, "enabled": False}, {}),
        ({"feedback": 60}, {"reigns": ()}),
    ],
)
def test_nothing_is_decided_without_a_call(terms: dict[str, Any], past: dict[str, Any]) -> None:
    assert judged(terms, past).call is None


def test_an_explicit_threshold_holds_whatever_the_hold_out_reached() -> None:
    past = {"measured": WORSE, "reigns": (Reign(NOW - 10 * DAY, 1, 0.65),)}
    assert judged({"on_performance": True, "usual_threshold": False}, past).retrain
    errors = {"measured": (Measured(NOW, 1, 12.0, 50),), "higher_is_better": False}
    terms = {"on_performance": True, "usual_threshold": False, "threshold": 10.0}
    assert judged(terms, errors).retrain


@pytest.mark.parametrize(
    ("terms", "past", "code"),
    [
        ({"enabled": False, "on_drift": True}, {"alerts": DRIFTED}, "disabled"),
        ({}, {"retrainings": (Span(NOW - DAY, None),)}, "already_training"),
        ({}, {"jobs": (Span(NOW - DAY, None),)}, "job_active"),
        ({"cooldown": 2 * DAY}, {"retrainings": (Span(NOW - DAY, NOW),)}, "cooldown"),
        ({"budget": 1}, {"retrainings": (Span(NOW - 29 * DAY, NOW - 28 * DAY),)}, "budget"),
        ({"quiet": QuietHours(time(14), time(6), "Europe/Berlin")}, {}, "quiet_hours"),
        ({"minimum_new": 61}, {}, "too_few_outcomes"),
        ({"minimum_new": 501}, {"learns": "rows"}, "too_few_rows"),
    ],
)
def test_each_limit_holds_it_back_and_says_so(terms: dict[str, Any], past: dict[str, Any], code: str) -> None:
    found = judged({"feedback": 60, **terms}, past)
    assert found.refusal is not None
    assert (found.refusal.code, found.retrain) == (code, False)


@pytest.mark.parametrize(
    ("terms", "past"),
    [
        ({"cooldown": DAY}, {"retrainings": (Span(NOW - DAY, NOW),)}),
        ({"budget": 1}, {"retrainings": (Span(NOW - 30 * DAY, NOW - 29 * DAY),)}),
        ({"quiet": QuietHours(time(15), time(6), "Europe/Berlin")}, {}),
        ({"quiet": QuietHours(time(6), time(12), "UTC")}, {}),
    ],
)
def test_a_limit_that_is_over_holds_nothing_back(terms: dict[str, Any], past: dict[str, Any]) -> None:
    assert judged({"feedback": 60, **terms}, past).retrain


def test_what_the_newest_version_knew_is_not_new() -> None:
    known = {"trained": (*PAST.trained, Trained(NOW - timedelta(hours=2), NOW - timedelta(hours=1), 2))}
    assert judged({"feedback": 1}, known).call is None
