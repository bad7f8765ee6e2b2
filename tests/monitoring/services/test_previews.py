"""A policy's preview over recorded rows, through each door; and the doors of policy and chain."""

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone

from mlplatform.admin.links import command_url, page_url
from mlplatform.errors import InvalidInput
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.services.settings import change_settings
from mlplatform.tenancy.services.tenants import add_member
from monitoring.deciding.history import situation_at
from monitoring.deciding.retraining import judge
from monitoring.errors import InvalidPolicy
from monitoring.models import RetrainingDecision, RetrainingPolicy
from monitoring.services.chains import chain_of, find_decision
from monitoring.services.checks import run_checks
from monitoring.services.decision_letters import tell_of_decision
from monitoring.services.histories import past_of, present_of
from monitoring.services.policies import policy_of, terms_of, update_policy
from monitoring.services.previews import preview_policy
from monitoring.services.retraining import attach_job, decide
from monitoring.services.settling import decision_behind, settle
from registry.models import RegisteredModel
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_version
from tests.monitoring.conftest import Ask, tell
from training.models import JobState, TrainingJob
from training.models.job import Trigger


@pytest.fixture
def alarmed(model: RegisteredModel, ask: Ask) -> RegisteredModel:
    """A model with a drift alert and 60 outcomes since, whose policy was off."""
    update_policy(model=model, by=SYSTEM, enabled=False)
    tell(ask(60, drifted=20))
    run_checks(model=model, by=SYSTEM)
    return model


def command(name: str, *options: str) -> Any:
    out = io.StringIO()
    call_command(name, "--tenant=clinic", "--json", *options, stdout=out)
    return json.loads(out.getvalue())


def test_the_preview_says_what_another_policy_would_have_done_and_saves_nothing(
    alarmed: RegisteredModel,
) -> None:
    found = preview_policy(model=alarmed, enabled=True)
    assert [one.call.cause for one in found.replayed.decisions if one.code is None] == ["drift"]
    assert found.really == 0
    assert not policy_of(alarmed).enabled
    assert RetrainingDecision.objects.count() == 1


def test_the_preview_judges_the_present_as_the_live_decision_does(alarmed: RegisteredModel) -> None:
    update_policy(model=alarmed, by=SYSTEM, enabled=True, minimum_outcomes=61)
    terms, now = terms_of(policy_of(alarmed)), timezone.now()
    live = judge(terms, situation_at(present_of(alarmed, now), now))
    past = judge(terms, situation_at(past_of(alarmed, now - timedelta(days=30)), now))
    assert (live.call, live.refusal) == (past.call, past.refusal)
    last = preview_policy(model=alarmed).replayed.decisions[-1]
    decision = decide(model=alarmed)
    assert decision is not None
    assert (last.code, last.sentence, last.call.alert) == (
        decision.inputs["code"],
        decision.reason,
        decision.alert_id,
    )


@pytest.mark.parametrize("wrong", [{"days": 0}, {"days": 91}])
def test_a_preview_that_cannot_be_is_refused(model: RegisteredModel, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        preview_policy(model=model, **wrong)
    with pytest.raises(InvalidPolicy):
        preview_policy(model=model, max_age_days=0)


def test_every_door_previews(
    tenant: Tenant, alarmed: RegisteredModel, api_for: ApiFor, console_for: ConsoleFor
) -> None:
    address = "/api/v1/models/cancer/policy/preview"
    body = api_for(tenant).get(address, {"enabled": "true", "days": "7"}).json()
    assert (body["retrainings"], body["decisions"][0]["rule"]) == (1, "drift")
    assert "would have retrained once" in body["says"]
    assert api_for(tenant).get(address, {"max_age_days": "0"}).status_code == 400
    told = command("policy", "--model=cancer", "--set=enabled=true", "--preview=7")
    assert (told["retrainings"], told["decisions"][0]["does"]) == (1, "retrain")
    policy, console = policy_of(alarmed), console_for(tenant)
    assert "held it back once" in console.get(command_url(policy, "preview")).content.decode()
    form = {"enabled": "on", "on_drift": "on", "minimum_outcomes": 5, "cooldown_minutes": 60}
    form |= {"on_success": "tell", "preview": "1"}
    shown = console.post(command_url(policy, "edit"), form).content.decode()
    assert "would have retrained once" in shown
    assert RetrainingPolicy.objects.get().minimum_outcomes == 50


def test_the_command_changes_the_policy_and_refuses_what_is_no_field(model: RegisteredModel) -> None:
    told = command("policy", "--model=cancer", "--set=quiet_from=22:00", "--set=quiet_until=06:00")
    assert told["quiet_from"] == "22:00:00"
    told = command("policy", "--model=cancer", "--set=quiet_from=", "--set=quiet_until=")
    assert told["quiet_from"] is None
    for wrong in ("--set=colour=red", "--set=max_age_days=old", "--set=max_age_days=0", "--set=enabled"):
        with pytest.raises(CommandError):
            command("policy", "--model=cancer", wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"quiet_from": "22:00"},
        {"performance_threshold": float("nan")},
        {"performance_loss": -0.1},
        {"monthly_budget": 0},
        {"feedback_threshold": 10**9},
        {"on_success": "hope"},
    ],
)
def test_fields_that_cannot_work_are_refused_by_name(model: RegisteredModel, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidPolicy) as caught:
        update_policy(model=model, by=SYSTEM, **wrong)
    assert set(caught.value.fields or {}) & {*wrong, "quiet_until"}


@pytest.fixture
def retrained(alarmed: RegisteredModel) -> RetrainingDecision:
    """A decision whose job has made a version."""
    update_policy(model=alarmed, by=SYSTEM, enabled=True)
    decision = decide(model=alarmed)
    assert decision is not None
    job = TrainingJob.objects.create(
        model=alarmed,
        dataset_id=decision.inputs["dataset"],
        config={},
        created_by="test",
        state=JobState.SUCCEEDED,
        version=make_version(alarmed),
    )
    return attach_job(decision=decision, job=job)


def test_a_policy_that_proposes_leaves_the_promotion_to_people(retrained: RetrainingDecision) -> None:
    update_policy(model=retrained.model, by=SYSTEM, on_success="propose")
    settled = settle(decision=retrained)
    assert (settled.state, settled.deployment) == ("proposed", None)
    assert settled.request is not None
    assert [one.kind for one in chain_of(find_decision(settled.pk))] == [
        "alert", "decision", "job", "version", "gates", "request",
    ]  # fmt: skip


def test_where_the_policy_only_registers_the_version_people_are_told(retrained: RetrainingDecision) -> None:
    add_member(email="operator@clinic.example", role=Role.OPERATOR, by=SYSTEM)
    update_policy(model=retrained.model, by=SYSTEM, on_success="tell")
    assert tell_of_decision(decision=retrained) == 0
    settled = settle(decision=retrained)
    assert tell_of_decision(decision=settled) == 1
    assert "cancer was retrained" in mail.outbox[0].subject
    assert settled.outcome in mail.outbox[0].body


def test_the_promotion_waits_for_the_end_of_the_quiet_hours(
    tenant: Tenant, retrained: RetrainingDecision
) -> None:
    now = timezone.now()
    change_settings(changes={"time_zone": "UTC"}, by=SYSTEM)
    quiet = {
        "quiet_from": (now - timedelta(hours=1)).time(),
        "quiet_until": (now + timedelta(hours=1)).time(),
    }
    update_policy(model=retrained.model, by=SYSTEM, **quiet)
    assert settle(decision=retrained).state == "training"
    update_policy(model=retrained.model, by=SYSTEM, quiet_from=None, quiet_until=None)
    assert settle(decision=retrained).state == "promoted"


def test_the_whole_chain_is_read_through_each_door(
    tenant: Tenant, retrained: RetrainingDecision, api_for: ApiFor, console_for: ConsoleFor
) -> None:
    settle(decision=retrained)
    kinds = ["alert", "decision", "job", "version", "gates", "deployment"]
    body = api_for(tenant).get(f"/api/v1/decisions/{retrained.pk}/chain").json()
    assert [one["kind"] for one in body["stations"]] == kinds
    assert body["decision"]["state"] == "promoted"
    assert [one["kind"] for one in command("decisions", f"--chain={retrained.pk}")] == kinds
    assert command("decisions", "--model=cancer")[0]["state"] == "promoted"
    page = console_for(tenant).get(page_url(retrained)).content.decode()
    assert "The chain in words" in page
    assert page_url(retrained.model.deployments.latest("pk")) in page


def test_a_version_of_a_schedule_is_treated_likewise_where_the_policy_says_so(
    model: RegisteredModel,
) -> None:
    version = make_version(model)
    job = TrainingJob.objects.create(
        model=model,
        dataset=version.dataset,
        config={},
        created_by="test",
        state=JobState.SUCCEEDED,
        version=version,
        trigger=Trigger.SCHEDULE,
    )
    policy_of(model)
    assert decision_behind(version) is None
    update_policy(model=model, by=SYSTEM, on_schedule=True)
    decision = decision_behind(version)
    assert decision is not None
    assert (decision.rule, decision.job, decision_behind(version)) == ("schedule", job, decision)
    assert settle(decision=decision).state == "promoted"
