"""Rollouts weighed by what comes back: taken back, promoted, proposed, or left to go on."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from feedback.services.outcomes import OutcomeItem, record_outcomes
from mlplatform.tenancy.actors import SYSTEM, Actor, ActorKind
from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.request_context import request_context
from monitoring.services import rollouts
from monitoring.services.rollouts import tend
from registry.models import ModelVersion, Prediction, PromotionRequest, Rollout
from registry.services.champions import champion_of
from registry.services.demands import change_rules, choose_gates
from registry.services.promotion import promote
from registry.services.requests import propose
from registry.services.rollout_plans import Planned
from registry.services.rollouts import pause, resume, start_rollout
from registry.services.serving import predict
from tests.factories import make_champion, make_dataset, make_model, make_version, rows_of, table, train

ANN = Actor(ActorKind.USER, "ann@clinic.example", 1)
BOB = Actor(ActorKind.USER, "bob@clinic.example", 2)
COUNT = 120  # rows of the hold-out table that are asked


@pytest.fixture
def challenger(in_tenant: Tenant) -> ModelVersion:
    """A version as good as the champion."""
    champion = make_champion()
    return make_version(champion.model, dataset=champion.dataset)


@pytest.fixture
def noise(in_tenant: Tenant) -> ModelVersion:
    """A version that learnt from shuffled labels, beside a good champion."""
    model, data = make_model(), make_dataset()
    make_champion(model, dataset=data)
    shuffled = table().assign(diagnosis=np.random.default_rng(0).permutation(table()["diagnosis"]))
    return make_version(model, dataset=data, pipeline=train(model, make_dataset("n", shuffled)).pipeline)


def start(challenger: ModelVersion, **asked: Any) -> Rollout:
    """A rollout of half of the cases."""
    given: dict[str, Any] = {"plan": [Planned(0.5)], "minimum": 40, "by": ANN, **asked}
    return start_rollout(model=challenger.model, challenger=challenger, **given)


def ask(challenger: ModelVersion, *, count: int = COUNT, name: str = "case") -> list[Prediction]:
    """The answers for real rows, one for each of so many cases."""
    keys = [f"{name} {number}" for number in range(count)]
    return predict(
        model=challenger.model, rows=rows_of(challenger, count), entity_keys=keys, by=SYSTEM
    ).predictions


def tell(answers: list[Prediction], *, wrong: Callable[[Prediction], bool]) -> None:
    """Send the outcomes: other than the answer where it is to be wrong."""
    other = {"benign": "malignant", "malignant": "benign"}
    items = [OutcomeItem(one.pk, other[one.label] if wrong(one) else one.label) for one in answers]
    record_outcomes(items=items, source="api", by=SYSTEM)


def by_challenger(challenger: ModelVersion) -> Callable[[Prediction], bool]:
    return lambda one: one.version_id == challenger.pk


def champion(version: ModelVersion) -> int:
    found = champion_of(version.model)
    assert found is not None
    return found.number


def test_without_outcomes_it_goes_on_and_says_so(challenger: ModelVersion) -> None:
    rollout = tend(rollout=start(challenger))
    assert rollout.is_active
    assert rollout.verdict["sentence"] == "No outcome of its cases has come back yet."


def test_a_challenger_that_is_worse_is_taken_back_by_its_outcomes(noise: ModelVersion) -> None:
    rollout = start(noise)
    truth = dict(zip((f"case {n}" for n in range(COUNT)), table()["diagnosis"], strict=False))
    answers = ask(noise)
    items = [OutcomeItem(one.pk, truth[f"case {n}"]) for n, one in enumerate(answers)]
    record_outcomes(items=items, source="api", by=SYSTEM)
    ended = tend(rollout=rollout)
    assert (ended.state, ended.verdict["decision"]) == ("rolled_back", "worse")
    assert "cancer v2 is worse." in ended.outcome
    assert champion(noise) == 1
    again = ask(noise)
    assert {one.version.number for one in again} == {1}
    event = AuditEvent.objects.get(action="rollout.rolled_back")
    assert (event.actor_kind, event.details["challenger"]) == ("policy", 2)


def test_a_challenger_that_is_better_is_promoted_through_its_gates(challenger: ModelVersion) -> None:
    rollout = start(challenger, kind="ab")
    tell(ask(challenger), wrong=lambda one: one.version_id != challenger.pk)
    ended = tend(rollout=rollout)
    assert (ended.state, ended.verdict["decision"]) == ("promoted", "better")
    assert champion(challenger) == 2
    assert ended.deployment is not None
    assert "cancer v2 is better." in ended.deployment.reason
    assert all(gate["passed"] for gate in ended.deployment.gates)


def test_where_it_may_be_a_little_worse_one_as_good_is_enough(challenger: ModelVersion) -> None:
    rollout = start(challenger, margin=0.6)
    tell(ask(challenger), wrong=lambda _: False)
    assert tend(rollout=rollout).verdict["decision"] == "good"
    assert champion(challenger) == 2


def test_only_told_of_it_people_promote(challenger: ModelVersion) -> None:
    rollout = start(challenger, kind="ab", when_good="tell")
    tell(ask(challenger), wrong=lambda one: one.version_id != challenger.pk)
    ended = tend(rollout=rollout)
    assert ended.state == "kept"
    assert ended.outcome.endswith("Its promotion is left to people.")
    assert champion(challenger) == 1


def test_a_failed_gate_stands_in_the_way_of_what_the_outcomes_say(challenger: ModelVersion) -> None:
    choose_gates(model=challenger.model, gates={"minimum_metrics": {"bounds": {"f1": 0.9999}}}, by=SYSTEM)
    rollout = start(challenger, kind="ab")
    tell(ask(challenger), wrong=lambda one: one.version_id != challenger.pk)
    ended = tend(rollout=rollout)
    assert ended.state == "kept"
    assert "It did not pass its gates" in ended.outcome
    assert champion(challenger) == 1


def test_a_gate_that_asks_for_this_evidence_lets_it_pass(challenger: ModelVersion) -> None:
    choose_gates(model=challenger.model, gates={"rollout_evidence": {"min_cases": 40}}, by=SYSTEM)
    rollout = start(challenger, kind="ab")
    tell(ask(challenger), wrong=lambda one: one.version_id != challenger.pk)
    assert tend(rollout=rollout).state == "promoted"


def test_where_two_people_are_asked_for_the_last_word_is_theirs(challenger: ModelVersion) -> None:
    change_rules(model=challenger.model, four_eyes=True, by=SYSTEM)
    request = propose(model=challenger.model, version=challenger, by=ANN)
    rollout = start(challenger, kind="ab", by=BOB)
    tell(ask(challenger), wrong=lambda one: one.version_id != challenger.pk)
    assert tend(rollout=rollout).state == "kept"
    assert champion(challenger) == 1
    request = PromotionRequest.objects.get(pk=request.pk)
    assert "cancer v2 is better." in request.comments[0]["text"]
    assert request.is_open


def test_a_critical_error_of_the_challenger_stops_it_at_once(challenger: ModelVersion) -> None:
    rollout = start(challenger, critical_error=0.9)
    answers = ask(challenger, count=30)
    sure = [one for one in answers if max((one.probabilities or {}).values()) > 0.95]
    ours = by_challenger(challenger)
    tell([one for one in sure if not ours(one)][:1], wrong=lambda _: True)
    assert tend(rollout=rollout).is_active  # the champion's errors are not held against the challenger
    tell([one for one in sure if ours(one)][:1], wrong=lambda _: True)
    ended = tend(rollout=rollout)
    assert (ended.state, ended.verdict["decision"]) == ("rolled_back", "critical")
    assert ended.outcome.startswith("cancer v2 made a critical error")


def test_numbers_are_compared_by_their_errors(in_tenant: Tenant) -> None:
    first = make_champion(make_model(data="diabetes"))
    second = make_version(first.model, dataset=first.dataset)
    rollout = start(second, kind="ab", critical_error=1e6)
    answers = ask(second)
    items = [
        OutcomeItem(one.pk, (one.value or 0) + (1 if one.version_id == second.pk else 400)) for one in answers
    ]
    record_outcomes(items=items, source="api", by=SYSTEM)
    ended = tend(rollout=rollout)
    assert ended.verdict["challenger"]["error"] == pytest.approx(1.0)
    assert ended.verdict["champion"]["error"] == pytest.approx(rollout.largest_error)
    assert ended.state == "promoted"


def test_a_case_counts_once_by_what_came_back_first(challenger: ModelVersion) -> None:
    rollout = start(challenger)
    first, again = ask(challenger, count=5), ask(challenger, count=5)
    tell([*first, *again], wrong=lambda _: False)
    sides = tend(rollout=rollout).verdict
    assert sides["challenger"]["cases"] + sides["champion"]["cases"] == 5


def test_rows_without_a_case_count_by_the_request(challenger: ModelVersion) -> None:
    rollout = start(challenger)
    answers = []
    for number in range(4):
        with request_context(request_id=f"asked-{number}", address=None):
            asked = predict(model=challenger.model, rows=rows_of(challenger, 3), by=SYSTEM)
        assert len({one.version_id for one in asked.predictions}) == 1
        answers += asked.predictions
    tell(answers, wrong=lambda _: False)
    sides = tend(rollout=rollout).verdict
    assert sides["challenger"]["cases"] + sides["champion"]["cases"] == 4


def test_undecided_to_the_last_it_ends(challenger: ModelVersion) -> None:
    rollout = start(challenger)
    Rollout.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    ended = tend(rollout=rollout)
    assert (ended.state, champion(challenger)) == ("undecided", 1)
    assert ended.outcome.startswith("Its time is over.")


def test_another_champion_overtakes_it(challenger: ModelVersion) -> None:
    third = make_version(challenger.model, dataset=challenger.dataset)
    rollout = start(challenger)
    promote(model=third.model, version=third, by=SYSTEM)
    assert {one.version.number for one in ask(challenger, count=10)} == {3}
    ended = tend(rollout=rollout)
    assert ended.state == "overtaken"
    assert "cancer v1 is no longer the champion; cancer v3 is." in ended.outcome


def test_promoted_another_way_it_is_over_and_names_the_change(challenger: ModelVersion) -> None:
    rollout = start(challenger)
    moved = promote(model=challenger.model, version=challenger, by=SYSTEM)
    ended = tend(rollout=rollout)
    assert (ended.state, ended.deployment_id) == ("promoted", moved.pk)


def test_what_has_ended_stays_as_it_is(challenger: ModelVersion) -> None:
    rollout = start(challenger, kind="ab", when_good="tell")
    answers = ask(challenger)
    tell(answers, wrong=lambda one: one.version_id != challenger.pk)
    ended = tend(rollout=rollout)
    tell(answers, wrong=by_challenger(challenger))
    assert tend(rollout=rollout).outcome == ended.outcome


def cases_of(rollout: Rollout) -> int:
    """How many cases the stored verdict rests on."""
    return sum(rollout.verdict[side]["cases"] for side in ("challenger", "champion"))


def test_it_is_weighed_again_once_a_hundredth_more_is_known_and_for_whoever_asks(
    challenger: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollouts, "LATE", timedelta(0))
    monkeypatch.setattr(rollouts, "SHARE_OF_NEWS", 4)
    rollout, answers = start(challenger, minimum=100), ask(challenger)
    tell(answers[:60], wrong=lambda _: False)
    assert cases_of(tend(rollout=rollout)) == 60
    tell(answers[60:74], wrong=lambda _: False)
    assert cases_of(tend(rollout=rollout)) == 60  # a quarter of what was known would be 15
    tell(answers[74:75], wrong=lambda _: False)
    assert cases_of(tend(rollout=rollout)) == 75
    tell(answers[75:76], wrong=lambda _: False)
    assert cases_of(tend(rollout=rollout, by=ANN)) == 76


def test_what_is_new_waits_an_hour_at_most_and_a_critical_error_not_at_all(
    challenger: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollouts, "LATE", timedelta(0))
    monkeypatch.setattr(rollouts, "SHARE_OF_NEWS", 1)
    rollout, answers = start(challenger, minimum=100, critical_error=0.9), ask(challenger)
    theirs = by_challenger(challenger)
    sure = next(one for one in answers if theirs(one) and max((one.probabilities or {}).values()) > 0.95)
    others = [one for one in answers if one is not sure]
    tell(others[:20], wrong=lambda _: False)
    assert cases_of(tend(rollout=rollout)) == 20
    tell(others[20:21], wrong=lambda _: False)
    assert cases_of(tend(rollout=rollout)) == 20
    Rollout.objects.update(weighed_at=timezone.now() - timedelta(minutes=61))
    assert cases_of(tend(rollout=rollout)) == 21
    tell([sure], wrong=lambda _: True)
    assert tend(rollout=rollout).verdict["decision"] == "critical"


def test_good_news_of_a_pause_is_followed_when_it_goes_on(challenger: ModelVersion) -> None:
    rollout = start(challenger, kind="ab", when_good="tell")
    tell(ask(challenger), wrong=lambda one: one.version_id != challenger.pk)
    pause(rollout=rollout, by=ANN)
    assert tend(rollout=rollout).is_active
    resume(rollout=rollout, by=ANN)
    assert tend(rollout=rollout).state == "kept"
