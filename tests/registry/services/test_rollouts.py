"""Rollouts: what may be started and by whom, and what people do with one while it runs."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from pytest_django import Settings

from mlplatform.tenancy.actors import SYSTEM, Actor, ActorKind
from mlplatform.tenancy.models import AuditEvent, Tenant
from registry.errors import (
    AlreadyChampion,
    ApprovalNeeded,
    GateFailed,
    InvalidRollout,
    NoChampion,
    RolloutActive,
    RolloutNotFound,
    RolloutOver,
    VersionNotReady,
)
from registry.models import ModelVersion, Rollout
from registry.models.version import VersionStatus
from registry.services.champions import champion_of
from registry.services.demands import change_rules
from registry.services.gates import evaluate_gates
from registry.services.models import create_model
from registry.services.requests import propose
from registry.services.rollout_ends import give_up
from registry.services.rollout_plans import Planned, plan_as_text, plan_from_text
from registry.services.rollouts import (
    find_rollout,
    pause,
    promote_challenger,
    ramp,
    resume,
    start_rollout,
    stop,
)
from tests.factories import make_champion, make_model, make_version

ANN = Actor(ActorKind.USER, "ann@clinic.example", 1)
BOB = Actor(ActorKind.USER, "bob@clinic.example", 2)


@pytest.fixture
def challenger(in_tenant: Tenant) -> ModelVersion:
    """A version beside the champion of its model."""
    champion = make_champion()
    return make_version(champion.model, dataset=champion.dataset)


@pytest.fixture
def canary(challenger: ModelVersion) -> Rollout:
    """A canary that runs as usual."""
    return start_rollout(model=challenger.model, challenger=challenger, by=ANN, reason="fewer misses")


def start(challenger: ModelVersion, **asked: Any) -> Rollout:
    return start_rollout(model=challenger.model, challenger=challenger, by=ANN, **asked)


def test_a_canary_begins_small_and_grows_by_the_clock(canary: Rollout) -> None:
    begun = canary.created_at + timedelta(seconds=1)
    shares = [canary.route.share(begun + timedelta(hours=hours)) for hours in (0, 25, 49)]
    assert shares == [0.05, 0.25, 0.5]
    assert (canary.margin, canary.alpha, canary.minimum, canary.largest_error) == (0.02, 0.05, 100, 1.0)
    assert canary.ends_at - canary.created_at == pytest.approx(timedelta(days=30), abs=timedelta(seconds=9))
    event = AuditEvent.objects.get(action="rollout.started")
    assert (event.actor_label, (event.after or {})["challenger"]) == ("ann@clinic.example", 2)


def test_a_test_of_two_numbers_is_judged_in_the_targets_unit(in_tenant: Tenant) -> None:
    champion = make_champion(make_model(data="diabetes"))
    other = make_version(champion.model, dataset=champion.dataset)
    made = start(other, kind="ab")
    assert made.route.share(timezone.now()) == 0.5
    assert made.margin == 0
    assert made.largest_error == pytest.approx(4 * champion.metrics["mae"])


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"plan": []}, "plan"),
        ({"plan": [Planned(0.1, 1)]}, "plan"),
        ({"plan": [Planned(0.1), Planned(0.2, 5), Planned(0.3, 5)]}, "plan"),
        ({"plan": [Planned(0.95)]}, "plan"),
        ({"plan": [Planned(0.0)]}, "plan"),
        ({"plan": [Planned(float("nan"))]}, "plan"),
        ({"alpha": 0.5}, "alpha"),
        ({"minimum": 3}, "minimum"),
        ({"margin": -1}, "margin"),
        ({"margin": float("nan")}, "margin"),
        ({"days": 0}, "days"),
        ({"critical_error": 2}, "critical_error"),
        ({"largest_error": 7}, "largest_error"),
    ],
)
def test_what_cannot_work_is_refused_at_its_field(
    challenger: ModelVersion, asked: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRollout) as refused:
        start(challenger, **asked)
    assert refused.value.fields is not None
    assert field in dict(refused.value.fields)  # type: ignore[arg-type]  # a mapping here
    assert not Rollout.objects.exists()


def test_a_challenger_needs_a_champion_beside_it(in_tenant: Tenant) -> None:
    lonely = make_version()
    with pytest.raises(NoChampion, match="Promote a version first"):
        start(lonely)


def test_the_champion_and_what_cannot_run_are_no_challengers(challenger: ModelVersion) -> None:
    champion = champion_of(challenger.model)
    assert champion is not None
    with pytest.raises(AlreadyChampion):
        start(champion)
    challenger.status = VersionStatus.ARCHIVED
    with pytest.raises(VersionNotReady):
        start(challenger)


def test_where_no_outcome_can_tell_nothing_is_started(challenger: ModelVersion) -> None:
    groups = create_model(name="groups", problem_type="clustering", by=SYSTEM)
    ModelVersion.objects.filter(pk=challenger.pk).update(model=groups)
    alias = challenger.model.aliases.get()
    alias.model = groups
    alias.save()
    with pytest.raises(InvalidRollout, match="no outcome can tell"):
        start(ModelVersion.objects.get(pk=challenger.pk))


def test_what_takes_other_rows_than_the_champion_gets_no_case(challenger: ModelVersion) -> None:
    frame_columns = [dict(one) for one in challenger.features]
    ModelVersion.objects.filter(pk=challenger.pk).update(
        features=[*frame_columns, {**frame_columns[0], "name": "new", "nullable": False}]
    )
    with pytest.raises(GateFailed, match="Nothing was started"):
        start(ModelVersion.objects.get(pk=challenger.pk))


def test_one_rollout_at_a_time_by_the_services_and_by_the_database(canary: Rollout) -> None:
    with pytest.raises(RolloutActive, match="stop it first"):
        start(canary.challenger)
    canary.pk = None
    canary._state.adding = True
    with pytest.raises(IntegrityError), transaction.atomic():
        canary.save()


def test_nobody_alone_lets_a_version_answer_where_nobody_promotes_alone(challenger: ModelVersion) -> None:
    change_rules(model=challenger.model, four_eyes=True, by=SYSTEM)
    with pytest.raises(ApprovalNeeded, match="two people"):
        start(challenger)
    propose(model=challenger.model, version=challenger, by=ANN)
    with pytest.raises(ApprovalNeeded):
        start(challenger)  # by Ann, who proposed it
    assert start_rollout(model=challenger.model, challenger=challenger, by=BOB).is_active


def test_the_share_is_changed_for_all_processes_at_once(canary: Rollout, settings: Settings) -> None:
    settings.SERVING_MEMORY_SECONDS = 1
    ramp(rollout=canary, plan=plan_from_text("20% now, 40% after 1h"), by=BOB, reason="goes well")
    now, route = timezone.now(), Rollout.objects.get().route
    assert route.share(now) == 0.05  # not before every process can know
    assert route.share(now + timedelta(seconds=5)) == 0.2
    assert route.share(now + timedelta(minutes=61)) == 0.4
    assert route.share(now + timedelta(days=9)) == 0.4  # the plan before is no more
    assert AuditEvent.objects.get(action="rollout.ramped").details["reason"] == "goes well"
    with pytest.raises(InvalidRollout, match="laid out"):
        ramp(rollout=canary, plan=[Planned(0.01)], by=BOB)


def test_a_pause_stops_the_clock_of_the_plan(canary: Rollout) -> None:
    pause(rollout=canary, by=BOB)
    with pytest.raises(RolloutOver, match="paused already"):
        pause(rollout=canary, by=BOB)
    with pytest.raises(RolloutOver, match="Resume it first"):
        ramp(rollout=canary, plan=[Planned(0.2)], by=BOB)
    Rollout.objects.update(paused_at=timezone.now() - timedelta(hours=10))
    resume(rollout=canary, by=BOB)
    steps = Rollout.objects.get().route.steps
    waits = [(step.at - timezone.now()) / timedelta(hours=1) for step in steps[1:]]
    assert waits == pytest.approx([34, 58], abs=0.1)
    with pytest.raises(RolloutOver, match="runs already"):
        resume(rollout=canary, by=BOB)


def test_a_stop_is_the_end(canary: Rollout) -> None:
    stop(rollout=canary, by=BOB, reason="holidays")
    ended = find_rollout(canary.model, canary.pk)
    assert (ended.state, ended.outcome, ended.ended_by) == ("stopped", "holidays", "bob@clinic.example")
    for act in (pause, resume, stop, promote_challenger):
        with pytest.raises(RolloutOver):
            act(rollout=ended, by=BOB)
    assert start(canary.challenger).is_active


def test_a_challenger_is_promoted_by_hand_through_its_gates(canary: Rollout) -> None:
    deployment = promote_challenger(rollout=canary, by=BOB, reason="sure of it")
    assert deployment.version == canary.challenger
    assert all(gate["passed"] for gate in deployment.gates)
    ended = find_rollout(canary.model, canary.pk)
    assert (ended.state, ended.deployment_id) == ("promoted", deployment.pk)


def test_giving_up_takes_the_challenger_back_once(canary: Rollout) -> None:
    give_up(challenger=canary.challenger, why="It broke.")
    give_up(challenger=canary.challenger, why="It broke.")
    assert Rollout.objects.get().state == "rolled_back"
    assert AuditEvent.objects.filter(action="rollout.rolled_back").count() == 1


def test_a_missing_rollout_is_told(canary: Rollout) -> None:
    with pytest.raises(RolloutNotFound, match="has no rollout 999"):
        find_rollout(canary.model, 999)


def test_the_gate_asks_for_a_rollout_and_reads_its_bounds(challenger: ModelVersion) -> None:
    def verdict() -> tuple[bool, str]:
        found = evaluate_gates(model=challenger.model, candidate=challenger, only={"rollout_evidence"})[0]
        return found.passed, found.detail

    assert verdict()[0] is False
    assert "Start one, as a canary or an A/B test." in verdict()[1]
    rollout = start(challenger)
    side = {"cases": 150, "error": 0.1}
    seen = {"challenger": side, "champion": side, "difference": -0.01, "low": -0.05, "path": [[1]]}
    for high, cases, passed, said in (
        (0.01, 150, True, "not worse than"),
        (0.03, 150, False, "not shown to be as good"),
        (0.01, 99, False, "100 are asked for"),
    ):
        Rollout.objects.update(verdict={**seen, "high": high, "champion": {**side, "cases": cases}})
        assert verdict()[0] is passed
        assert said in verdict()[1]
    Rollout.objects.update(verdict={**seen, "high": 0.01})
    give_up(challenger=rollout.challenger, why="It broke.")
    assert "took it back" in verdict()[1]


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        ("5% now, 25% after 24h, 50% after 2d", [Planned(0.05), Planned(0.25, 24), Planned(0.5, 48)]),
        ("12.5%", [Planned(0.125)]),
        ("10 %,20 % 30min", [Planned(0.1), Planned(0.2, 0.5)]),
    ],
)
def test_plans_are_read_as_people_write_them(text: str, plan: list[Planned]) -> None:
    assert plan_from_text(text) == plan
    assert plan_from_text(plan_as_text(plan)) == plan


@pytest.mark.parametrize("text", ["", "half", "5% later", "5% now; 10% after 1h", "5", "١٠%", "1e9%"])
def test_what_is_no_plan_is_told_with_an_example(text: str) -> None:
    with pytest.raises(InvalidRollout, match="Write shares and times like 5% now"):
        plan_from_text(text)
