"""What a policy would have done, over a made-up month."""

from dataclasses import replace
from datetime import timedelta

from monitoring.deciding.history import AlertSpan, Counts, Span, Trained
from monitoring.deciding.replay import Replay, replay, usual_duration
from tests.monitoring.deciding.test_judging import DAY, NOW, OFF, PAST

SINCE = NOW - 30 * DAY
HOUR = timedelta(hours=1)
MONTH = replace(
    PAST,
    reigns=(replace(PAST.reigns[0], since=NOW - 60 * DAY),),
    trained=(Trained(NOW - 60 * DAY, NOW - 60 * DAY, 1),),
    outcomes=Counts([SINCE + number * DAY for number in range(30)], [20] * 30),
    rows=Counts(),
)


def played(**terms: object) -> Replay:
    return replay(replace(OFF, **terms), MONTH, since=SINCE, until=NOW, took=HOUR)  # type: ignore[arg-type]


def test_each_retraining_starts_the_count_of_outcomes_anew() -> None:
    found = played(feedback=100)
    assert [one.at - SINCE for one in found.decisions] == [n * DAY for n in (4, 9, 14, 19, 24, 29)]
    assert (found.retrainings, found.looks) == (6, 721)


def test_a_budget_holds_the_rest_back_and_says_it_once() -> None:
    found = played(feedback=100, budget=2)
    assert [one.code for one in found.decisions] == [None, None, "budget"]
    assert (found.decisions[-1].at, found.decisions[-1].last) == (SINCE + 14 * DAY, NOW)


def test_age_comes_again_after_as_long() -> None:
    found = played(max_age=14 * DAY, minimum_new=0)
    assert [one.at for one in found.decisions] == [SINCE, SINCE + 14 * DAY, SINCE + 28 * DAY]


def test_an_alert_is_answered_at_the_moment_it_was_raised() -> None:
    raised = SINCE + 5 * DAY + timedelta(minutes=7)
    alert = AlertSpan(raised, raised + timedelta(minutes=20), 3, "drift", "Inputs have drifted")
    found = replay(
        replace(OFF, on_drift=True), replace(MONTH, alerts=(alert,)), since=SINCE, until=NOW, took=HOUR
    )
    assert [(one.at, one.call.alert, one.code) for one in found.decisions] == [(raised, 3, None)]


def test_what_the_recorded_policy_did_gives_way_and_jobs_of_people_stay() -> None:
    own, job = Span(SINCE + DAY, SINCE + DAY + HOUR), Span(SINCE + DAY, SINCE + DAY + HOUR)
    by_hand = Span(SINCE + 4 * DAY, SINCE + 6 * DAY)
    past = replace(
        MONTH,
        retrainings=(own,),
        jobs=(job, by_hand),
        trained=(*MONTH.trained, Trained(SINCE + DAY, SINCE + DAY + HOUR, 2)),
    )
    found = replay(replace(OFF, feedback=100), past, since=SINCE, until=NOW, took=HOUR)
    assert [(one.at - SINCE, one.code) for one in found.decisions[:2]] == [
        (4 * DAY, "job_active"),
        (6 * DAY, None),
    ]


def test_the_usual_duration_is_the_median_of_those_that_ended() -> None:
    spans = [Span(NOW, NOW + n * HOUR) for n in (1, 2, 9)]
    assert usual_duration([*spans, Span(NOW, None)]) == 2 * HOUR
    assert usual_duration([]) == timedelta(0)
