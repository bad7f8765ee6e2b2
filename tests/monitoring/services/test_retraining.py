"""Decisions of the retraining policy, and what comes of them."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from sklearn.dummy import DummyClassifier

from mlplatform.tenancy.actors import SYSTEM, Actor, ActorKind
from mlplatform.tenancy.models import AuditEvent
from monitoring.errors import InvalidPolicy
from monitoring.models import Alert, RetrainingDecision
from monitoring.services.alerts import acknowledge, resolve, unresolved_alerts
from monitoring.services.checks import run_checks
from monitoring.services.policies import policy_of, update_policy
from monitoring.services.retraining import attach_job, decide
from monitoring.services.settling import decision_behind, pending_decisions, settle
from registry.models import ModelVersion, PromotionRequest, RegisteredModel
from registry.services.demands import change_rules
from registry.services.promotion import champion_of, promote
from registry.services.requests import approve
from tests.factories import make_version, table
from tests.monitoring.conftest import Ask, tell
from training.models import JobState, TrainingJob
from training.services.jobs import newest_config


@pytest.fixture
def alarmed(model: RegisteredModel, ask: Ask) -> RegisteredModel:
    """A model with a drift alert, 60 outcomes since, and no decision yet."""
    update_policy(model=model, by=SYSTEM, enabled=False)
    tell(ask(60, drifted=20))
    run_checks(model=model, by=SYSTEM)
    RetrainingDecision.objects.all().delete()
    update_policy(model=model, by=SYSTEM, enabled=True)
    return model


def made(model: RegisteredModel) -> RetrainingDecision:
    decision = decide(model=model)
    assert decision is not None
    return decision


def job_for(decision: RetrainingDecision, **fields: Any) -> TrainingJob:
    job = TrainingJob.objects.create(
        model=decision.model, dataset_id=decision.inputs["dataset"], config={}, created_by="test", **fields
    )
    attach_job(decision=decision, job=job)
    return job


def trained(decision: RetrainingDecision, **changes: Any) -> ModelVersion:
    """A version of the decision's job, which has succeeded."""
    version = make_version(decision.model, **changes)
    job_for(decision, state=JobState.SUCCEEDED, version=version)
    return version


def test_without_an_alert_nothing_is_decided(model: RegisteredModel) -> None:
    assert decide(model=model) is None
    assert not RetrainingDecision.objects.exists()


def test_a_drift_alert_leads_to_training_on_the_new_rows(alarmed: RegisteredModel) -> None:
    decision = made(alarmed)
    assert (decision.state, decision.alert) == ("training", unresolved_alerts(alarmed)[0])
    assert decision.inputs["new_outcomes"] == 60
    assert alarmed.versions.get().dataset.children.get().pk == decision.inputs["dataset"]
    assert AuditEvent.objects.filter(action="retraining.decided", actor_kind="policy").exists()


@pytest.mark.parametrize(
    ("changes", "code", "told"),
    [
        ({"enabled": False}, "disabled", "switched off"),
        ({"minimum_outcomes": 61}, "too_few_outcomes", "60 of 61"),
    ],
)
def test_a_refusal_says_why_and_is_written_once(
    alarmed: RegisteredModel, changes: dict[str, Any], code: str, told: str
) -> None:
    update_policy(model=alarmed, by=SYSTEM, **changes)
    decision = made(alarmed)
    assert (decision.state, decision.inputs["code"]) == ("declined", code)
    assert told in decision.reason
    assert made(alarmed) == decision
    assert RetrainingDecision.objects.count() == 1


def test_another_reason_is_written(alarmed: RegisteredModel) -> None:
    update_policy(model=alarmed, by=SYSTEM, enabled=False)
    made(alarmed)
    update_policy(model=alarmed, by=SYSTEM, enabled=True, minimum_outcomes=61)
    made(alarmed)
    assert RetrainingDecision.objects.count() == 2


def test_alerts_that_the_policy_does_not_heed_decide_nothing(alarmed: RegisteredModel) -> None:
    update_policy(model=alarmed, by=SYSTEM, on_drift=False)
    assert decide(model=alarmed) is None


def test_a_resolved_alert_decides_nothing(alarmed: RegisteredModel) -> None:
    resolve(alert=Alert.objects.get(), by=SYSTEM)
    assert decide(model=alarmed) is None


def test_one_retraining_at_a_time(alarmed: RegisteredModel) -> None:
    first = made(alarmed)
    second = made(alarmed)
    assert (first.state, second.inputs["code"]) == ("training", "already_training")


def test_not_beside_a_job_that_somebody_started(alarmed: RegisteredModel) -> None:
    dataset = alarmed.versions.get().dataset
    TrainingJob.objects.create(model=alarmed, dataset=dataset, config={}, created_by="test")
    assert made(alarmed).inputs["code"] == "job_active"


def test_not_again_within_the_cooldown(alarmed: RegisteredModel) -> None:
    first = made(alarmed)
    job_for(first, state=JobState.FAILED)
    settle(decision=first)
    assert made(alarmed).inputs["code"] == "cooldown"
    RetrainingDecision.objects.filter(pk=first.pk).update(created_at=timezone.now() - timedelta(hours=2))
    assert made(alarmed).state == "training"


def test_not_on_the_very_same_rows(alarmed: RegisteredModel) -> None:
    decision = made(alarmed)
    newest = make_version(alarmed)
    ModelVersion.objects.filter(pk=newest.pk).update(dataset_id=decision.inputs["dataset"])
    RetrainingDecision.objects.all().delete()
    update_policy(model=alarmed, by=SYSTEM, minimum_outcomes=0)
    assert made(alarmed).inputs["code"] == "nothing_new"


def test_a_version_that_passes_its_gates_is_promoted(alarmed: RegisteredModel) -> None:
    decision = made(alarmed)
    version = trained(decision)
    settled = settle(decision=decision)
    assert (settled.state, champion_of(alarmed)) == ("promoted", version)
    assert settled.deployment is not None
    assert settled.deployment.actor_kind == "policy"
    assert unresolved_alerts(alarmed) == []


def test_where_the_model_asks_for_two_people_the_policy_only_proposes(alarmed: RegisteredModel) -> None:
    change_rules(model=alarmed, four_eyes=True, by=SYSTEM)
    before = champion_of(alarmed)
    decision = made(alarmed)
    version = trained(decision)
    settled = settle(decision=decision)
    assert (settled.state, settled.deployment, champion_of(alarmed)) == ("proposed", None, before)
    assert "It is proposed" in settled.outcome
    request = PromotionRequest.objects.get()
    assert settled.request == request
    assert (request.version, request.actor_kind, request.state) == (version, "policy", "open")
    person = Actor(ActorKind.USER, "bob@clinic.example", 2)
    assert approve(request=request, by=person).version == version


def test_the_policy_proposes_no_version_that_fails_a_gate(alarmed: RegisteredModel) -> None:
    gates = {"artifact_size": {"megabytes": 0.0001}}
    change_rules(model=alarmed, four_eyes=True, gates=gates, by=SYSTEM)
    decision = made(alarmed)
    trained(decision)
    assert "did not pass its gates" in settle(decision=decision).outcome
    assert not PromotionRequest.objects.exists()


def test_settling_twice_does_it_once(alarmed: RegisteredModel) -> None:
    decision = made(alarmed)
    trained(decision)
    first = settle(decision=decision)
    second = settle(decision=decision)
    assert second.settled_at == first.settled_at
    assert alarmed.deployments.count() == 2


def test_a_worse_version_is_kept_back_with_the_gates_words(alarmed: RegisteredModel) -> None:
    decision = made(alarmed)
    champion = champion_of(alarmed)
    names = [column["name"] for column in alarmed.versions.get().features]
    constant = DummyClassifier(strategy="constant", constant="benign")
    constant.fit(np.zeros((4, len(names))), ["benign", "malignant"] * 2)
    trained(decision, pipeline=constant)
    settled = settle(decision=decision)
    assert (settled.state, champion_of(alarmed)) == ("kept", champion)
    assert "did not pass its gates" in settled.outcome
    assert len(settled.outcome) > 60


def test_a_policy_that_only_tells_promotes_nothing(alarmed: RegisteredModel) -> None:
    update_policy(model=alarmed, by=SYSTEM, on_success="tell")
    decision = made(alarmed)
    version = trained(decision)
    assert settle(decision=decision).state == "kept"
    assert champion_of(alarmed) != version


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.ERRORED, JobState.CANCELLED])
def test_a_job_without_success_fails_the_decision(alarmed: RegisteredModel, state: str) -> None:
    decision = made(alarmed)
    job_for(decision, state=state, error="No rows were left.")
    settled = settle(decision=decision)
    assert settled.state == "failed"
    assert "No rows were left." in settled.outcome


def test_a_running_job_leaves_the_decision_open(alarmed: RegisteredModel) -> None:
    decision = made(alarmed)
    job_for(decision, state=JobState.RUNNING)
    assert settle(decision=decision).state == "training"
    assert pending_decisions() == [decision.pk]


def test_a_decision_whose_job_was_lost_fails_after_a_while(alarmed: RegisteredModel) -> None:
    decision = made(alarmed)
    assert settle(decision=decision).state == "training"
    RetrainingDecision.objects.update(created_at=timezone.now() - timedelta(minutes=11))
    assert settle(decision=decision).state == "failed"


def test_a_version_leads_back_to_its_decision(alarmed: RegisteredModel, champion: ModelVersion) -> None:
    decision = made(alarmed)
    assert decision_behind(trained(decision)) == decision
    assert decision_behind(champion) is None


def test_the_default_policy(model: RegisteredModel) -> None:
    policy = policy_of(model)
    assert (policy.enabled, policy.minimum_outcomes, policy.on_success) == (True, 50, "promote")
    assert policy_of(model) == policy


@pytest.mark.parametrize(
    "wrong", [{"on_success": "pray"}, {"cooldown_minutes": -1}, {"minimum_outcomes": 10**9}, {"tenant": 1}]
)
def test_a_policy_that_cannot_work_is_refused(model: RegisteredModel, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidPolicy) as caught:
        update_policy(model=model, by=SYSTEM, **wrong)
    assert set(caught.value.fields or {}) == set(wrong)


@pytest.fixture
def failing(model: RegisteredModel, ask: Ask) -> RegisteredModel:
    """A model whose answers turned out wrong, with a quality alert and no decision yet."""
    update_policy(model=model, by=SYSTEM, enabled=False)
    tell(ask(60), wrong=True)
    run_checks(model=model, by=SYSTEM)
    RetrainingDecision.objects.all().delete()
    update_policy(model=model, by=SYSTEM, enabled=True)
    return model


def test_lost_quality_leads_to_training_too_where_the_policy_heeds_it(failing: RegisteredModel) -> None:
    update_policy(model=failing, by=SYSTEM, on_performance=False)
    assert decide(model=failing) is None
    update_policy(model=failing, by=SYSTEM, on_performance=True, on_drift=False)
    decision = made(failing)
    assert (decision.state, decision.inputs["metric"]) == ("training", "performance")
    assert "quality has dropped" in decision.reason
    assert "60 new outcomes" in decision.reason


def test_outcomes_that_the_newest_version_knew_are_not_new(alarmed: RegisteredModel) -> None:
    first = made(alarmed)
    job_for(first, state=JobState.SUCCEEDED, version=make_version(alarmed))
    update_policy(model=alarmed, by=SYSTEM, cooldown_minutes=0, on_success="tell")
    settle(decision=first)
    second = made(alarmed)
    assert (second.inputs["code"], second.inputs["new_outcomes"]) == ("too_few_outcomes", 0)


def test_outcomes_that_came_while_the_job_ran_are_new(alarmed: RegisteredModel, ask: Ask) -> None:
    first = made(alarmed)
    job = job_for(first)
    tell(ask(10))
    version = make_version(alarmed)
    TrainingJob.objects.filter(pk=job.pk).update(state=JobState.SUCCEEDED, version=version)
    update_policy(model=alarmed, by=SYSTEM, cooldown_minutes=0, on_success="tell")
    settle(decision=first)
    assert made(alarmed).inputs["new_outcomes"] == 10


def test_data_that_cannot_be_read_is_a_reason_not_to_retrain(alarmed: RegisteredModel) -> None:
    default_storage.delete(alarmed.versions.get().dataset.file)
    decision = made(alarmed)
    assert (decision.state, decision.inputs["code"]) == ("declined", "dataset_corrupt")
    assert "Restore it from a backup" in decision.reason


def test_an_acknowledged_alert_still_calls_for_retraining(alarmed: RegisteredModel) -> None:
    acknowledge(alert=Alert.objects.get(), by=SYSTEM)
    assert made(alarmed).state == "training"


def test_it_trains_with_the_settings_that_made_the_last_version(alarmed: RegisteredModel) -> None:
    assert newest_config(alarmed) is None
    version = alarmed.versions.get()
    data = {"model": alarmed, "dataset": version.dataset, "created_by": "test"}
    TrainingJob.objects.create(**data, state=JobState.FAILED, config={"seed": 3})
    assert newest_config(alarmed) == {"seed": 3}
    TrainingJob.objects.create(**data, state=JobState.SUCCEEDED, version=version, config={"seed": 1})
    TrainingJob.objects.create(**data, state=JobState.FAILED, config={"seed": 2})
    assert newest_config(alarmed) == {"seed": 1}


def test_a_version_that_somebody_promoted_meanwhile_is_left_where_it_is(alarmed: RegisteredModel) -> None:
    decision = made(alarmed)
    version = trained(decision)
    promote(model=alarmed, version=version, by=SYSTEM)
    settled = settle(decision=decision)
    assert (settled.state, champion_of(alarmed)) == ("kept", version)
    assert "is the champion already" in settled.outcome


def test_a_failed_version_is_never_promoted(alarmed: RegisteredModel) -> None:
    decision = made(alarmed)
    champion = champion_of(alarmed)
    trained(decision, sample=table().head(0))
    settled = settle(decision=decision)
    assert (settled.state, champion_of(alarmed)) == ("kept", champion)
    assert "cannot run" in settled.outcome


def test_what_the_policy_does_is_audited_in_its_name(alarmed: RegisteredModel) -> None:
    decision = made(alarmed)
    trained(decision)
    settle(decision=decision)
    events = AuditEvent.objects.filter(actor_kind="policy")
    assert set(events.values_list("actor_label", flat=True)) == {"of cancer"}
    assert {"retraining.decided", "model.promoted", "alert.resolved", "retraining.promoted"} <= set(
        events.values_list("action", flat=True)
    )
