"""Suspicious feedback is found as it comes, set aside, and counts only once somebody says so."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from feedback.errors import DecidedAlready, DecisionReasonMissing, InvalidFeedbackSettings
from feedback.frames import known_since, labelled_features, labelled_frame
from feedback.models import HeldOutcome, LabelTally, Outcome, Quarantine
from feedback.models.quarantine import Suspicion
from feedback.services.feedback_settings import update_feedback_settings
from feedback.services.joining import join_held
from feedback.services.outcomes import OutcomeItem, OutcomeResult, record_outcomes
from feedback.services.quarantines import labels_in, reject, release
from mlplatform.errors import NotAllowed
from mlplatform.tenancy.actors import SYSTEM, Actor, ActorKind
from mlplatform.tenancy.models import AuditEvent
from registry.models import ModelVersion, Prediction
from registry.models.prediction import time_ordered_uuid
from registry.services.serving import predict
from tests.factories import make_champion, make_model, rows_of
from tests.feedback.conftest import asked

KEY = Actor(ActorKind.API_KEY, "laboratory")
OTHER = Actor(ActorKind.API_KEY, "website")
ANN = Actor(ActorKind.USER, "ann@clinic.example")
BOSS = Actor(ActorKind.USER, "boss@clinic.example")
DAY = timedelta(days=1)


@pytest.fixture
def watched(champion: ModelVersion) -> ModelVersion:
    """The classifier, guarded from 20 labels of a sender on."""
    update_feedback_settings(model=champion.model, by=BOSS, least_labels=20, trusted=[str(ANN)])
    return champion


def tell(rows: Sequence[Prediction], label: str | None = None, by: Actor = KEY) -> OutcomeResult:
    """Report outcomes: the label, or one row like this and the next like that."""
    both = ("benign", "malignant")
    items = [OutcomeItem(row.pk, label or both[place % 2]) for place, row in enumerate(rows)]
    return record_outcomes(items=items, source="api", by=by)


def a_day_later() -> None:
    """Let everything that was reported have come a day earlier."""
    Outcome.objects.update(received_at=F("received_at") - DAY)
    for tally in LabelTally.objects.order_by("day"):
        LabelTally.objects.filter(pk=tally.pk).update(day=tally.day - DAY, since=tally.since - DAY)
    Quarantine.objects.update(since=F("since") - DAY, decided_at=F("decided_at") - DAY)


def current(rows: Sequence[Prediction]) -> list[str]:
    found = Outcome.objects.filter(prediction__in=[row.pk for row in rows], current=True)
    return sorted(found.values_list("label", flat=True))


def test_labels_that_suddenly_change_are_set_aside(watched: ModelVersion) -> None:
    before, now = asked(watched, 60), asked(watched, 60)
    assert tell(before).quarantined == 0
    a_day_later()
    assert tell(now, "malignant") == OutcomeResult(accepted=60, quarantined=60)
    case = Quarantine.objects.get()
    assert (case.suspicion, case.sender, case.labels) == (Suspicion.BALANCE, str(KEY), 60)
    assert case.reason == "100% of 60 labels are malignant; of its own 60 labels before it was 50%."
    assert (case.numbers["own"], case.numbers["share"], case.numbers["before"]) == (True, 1.0, 0.5)
    assert labels_in(case) == [("malignant", 60)]
    assert (current(before), current(now)) == (["benign"] * 30 + ["malignant"] * 30, [])
    opened = AuditEvent.objects.get(action="quarantine.opened")
    assert (opened.object_id, opened.actor_kind) == (str(case.pk), "system")


def test_what_trains_and_what_counts_never_sees_it(watched: ModelVersion) -> None:
    model, began = watched.model, timezone.now() - 3 * DAY
    before, now = asked(watched, 40), asked(watched, 40)
    tell(before)
    a_day_later()
    tell(now, "malignant")
    assert (
        len(labelled_frame(model)) == len(labelled_features(model)) == known_since(model, began, 1000) == 40
    )
    case = Quarantine.objects.get()
    reject(case=case, reason="made up", by=BOSS)
    assert len(labelled_features(model)) == 40
    release(case=case, reason="they were right after all", by=BOSS)
    assert len(labelled_features(model)) == 80


def test_reports_in_parts_are_seen_at_a_look_and_the_rest_joins(watched: ModelVersion) -> None:
    before, now = asked(watched, 60), asked(watched, 60)
    tell(before)
    a_day_later()
    parts = [tell(now[start : start + 8], "malignant").quarantined for start in range(0, 56, 8)]
    assert parts == [0, 0, 8, 8, 8, 8, 8]
    assert Quarantine.objects.get().labels == 56
    assert tell(now[56:], "benign").quarantined == 4  # whatever it says while it is suspected
    assert current(now) == []


def test_labels_as_before_are_let_be(watched: ModelVersion) -> None:
    tell(asked(watched, 60))
    a_day_later()
    assert tell(asked(watched, 60)).quarantined == 0
    assert not Quarantine.objects.exists()


def test_small_senders_are_let_be(watched: ModelVersion) -> None:
    tell(asked(watched, 60))
    a_day_later()
    assert tell(asked(watched, 19), "malignant").quarantined == 0


def test_a_first_sender_has_nothing_to_be_held_against(watched: ModelVersion) -> None:
    assert tell(asked(watched, 80), "malignant").quarantined == 0


def test_a_guard_that_is_off_lets_everything_be(watched: ModelVersion) -> None:
    tell(asked(watched, 60))
    a_day_later()
    update_feedback_settings(model=watched.model, by=BOSS, guard=False)
    assert tell(asked(watched, 60), "malignant").quarantined == 0


def test_another_model_of_the_sender_is_let_be(watched: ModelVersion) -> None:
    other = make_champion(make_model("other"))
    tell(asked(watched, 60))
    a_day_later()
    tell(asked(watched, 40), "malignant")
    rows = asked(other, 5)
    assert tell(rows, "malignant").quarantined == 0
    assert len(current(rows)) == 5


def test_a_sender_that_takes_over_is_set_aside_and_one_that_always_did_is_not(watched: ModelVersion) -> None:
    tell(asked(watched, 60), by=OTHER)
    a_day_later()
    assert tell(asked(watched, 60), by=OTHER).quarantined == 0
    a_day_later()
    rows = asked(watched, 40)
    assert tell(rows, by=KEY).quarantined == 40
    case = Quarantine.objects.get()
    assert (case.suspicion, case.numbers["share"], case.numbers["usual"]) == (Suspicion.SHARE, 1.0, 0.0)
    release(case=case, reason="the new laboratory", by=BOSS)
    assert len(current(rows)) == 40
    a_day_later()
    assert tell(asked(watched, 40), by=KEY).quarantined == 0  # it was released a short while ago


@pytest.mark.parametrize("trusted_first", [True, False])
def test_labels_that_differ_from_trusted_ones_are_set_aside(
    watched: ModelVersion, trusted_first: bool
) -> None:
    rows = asked(watched, 24)
    tell(rows, "benign", ANN) if trusted_first else tell(rows, "malignant")
    told = tell(rows, "malignant") if trusted_first else tell(rows, "benign", ANN)
    assert told.quarantined == (24 if trusted_first else 0)
    case = Quarantine.objects.get()
    assert (case.suspicion, case.sender) == (Suspicion.DISAGREEMENT, str(KEY))
    assert (case.numbers["disagreed"], case.numbers["compared"]) == (24, 24)
    assert current(rows) == ["benign"] * 24  # what a trusted person said counts again


def test_the_few_differences_that_people_have_are_let_be(watched: ModelVersion) -> None:
    rows = asked(watched, 40)
    tell(rows, by=ANN)
    tell(rows[:36])
    assert tell(rows[36:], "benign").quarantined == 0
    assert not Quarantine.objects.exists()


def test_trusted_senders_are_what_the_others_are_held_against(watched: ModelVersion) -> None:
    tell(asked(watched, 60), by=ANN)
    a_day_later()
    assert tell(asked(watched, 60), "malignant", ANN).quarantined == 0


def test_a_replaced_outcome_counts_again_until_the_other_is_released(watched: ModelVersion) -> None:
    rows = asked(watched, 40)
    tell(rows, "benign", OTHER)
    a_day_later()
    tell(rows[:30], "malignant")
    assert current(rows) == ["benign"] * 40
    case = Quarantine.objects.get()
    release(case=case, reason="corrected by the laboratory", by=BOSS)
    assert current(rows) == ["benign"] * 10 + ["malignant"] * 30
    reject(case=case, reason="they were not", by=BOSS)
    assert current(rows) == ["benign"] * 40


def test_what_was_rejected_is_not_said_anew_by_saying_it_again(watched: ModelVersion) -> None:
    tell(asked(watched, 60))
    a_day_later()
    rows = asked(watched, 40)
    tell(rows, "malignant")
    reject(case=Quarantine.objects.get(), reason="a stolen key", by=BOSS)
    assert tell(rows[:5], "malignant") == OutcomeResult(repeated=5)
    assert current(rows) == []
    assert tell(rows[:5], "benign") == OutcomeResult(accepted=5)
    assert current(rows) == ["benign"] * 5


def test_after_a_decision_the_sender_is_counted_anew(watched: ModelVersion) -> None:
    tell(asked(watched, 60))
    a_day_later()
    tell(asked(watched, 40), "malignant")
    reject(case=Quarantine.objects.get(), reason="made up", by=BOSS)
    assert tell(asked(watched, 19), "malignant").quarantined == 0
    assert tell(asked(watched, 1), "malignant").quarantined == 1
    assert Quarantine.objects.filter(state="open").get().labels == 20


def test_numbers_are_guarded_too(number: Prediction) -> None:
    version = number.version
    update_feedback_settings(model=version.model, by=BOSS, least_labels=20)

    def told(factor: float) -> OutcomeResult:
        items = [OutcomeItem(row.pk, 100 + factor * place) for place, row in enumerate(asked(version, 40))]
        return record_outcomes(items=items, source="api", by=KEY)

    assert told(1.0).quarantined == 0
    a_day_later()
    assert told(1.0).quarantined == 0
    a_day_later()
    assert told(50.0).quarantined == 40
    assert "above 13" in Quarantine.objects.get().reason


def test_an_early_outcome_of_a_suspected_sender_joins_the_quarantine(watched: ModelVersion) -> None:
    tell(asked(watched, 60))
    a_day_later()
    tell(asked(watched, 40), "malignant")
    key = time_ordered_uuid()
    assert record_outcomes(items=[OutcomeItem(str(key), "benign")], source="api", by=SYSTEM).held == 1
    HeldOutcome.objects.update(received_from=str(KEY))
    predict(model=watched.model, rows=rows_of(watched), ids=[key], by=SYSTEM)
    assert join_held().joined == 1
    assert not Outcome.objects.filter(prediction=key, current=True).exists()
    assert Quarantine.objects.get().labels == 41


def test_a_decision_has_a_reason_and_is_not_ones_own(watched: ModelVersion) -> None:
    tell(asked(watched, 60), by=BOSS)
    a_day_later()
    tell(asked(watched, 40), "malignant", by=BOSS)
    case = Quarantine.objects.get()
    with pytest.raises(DecisionReasonMissing):
        release(case=case, reason=" ", by=KEY)
    with pytest.raises(NotAllowed, match="their own labels"):
        release(case=case, reason="trust me", by=BOSS)
    done = release(case=case, reason="checked by hand", by=ANN)
    assert (done.state, done.decided_by, done.decision) == ("released", str(ANN), "checked by hand")
    with pytest.raises(DecidedAlready, match="released already, by ann"):
        release(case=case, reason="again", by=KEY)
    told = AuditEvent.objects.get(action="quarantine.released")
    assert told.before == {"state": "open"}
    assert told.after is not None
    assert told.after["decision"] == "checked by hand"


@pytest.mark.parametrize(
    "changes",
    [
        {"least_labels": 3},
        {"most_share": 1.5},
        {"false_alarm_rate": 0.0},
        {"least_change": float("nan")},
        {"trusted": "ann"},
        {"trusted": ["x" * 201]},
        {"colour": "red"},
    ],
)
def test_settings_that_cannot_be_are_refused(champion: ModelVersion, changes: dict[str, object]) -> None:
    with pytest.raises(InvalidFeedbackSettings):
        update_feedback_settings(model=champion.model, by=BOSS, **changes)
