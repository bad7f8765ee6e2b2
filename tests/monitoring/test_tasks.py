"""The tasks, run in this process as a worker would run them."""

from collections.abc import Callable, Iterator

import pytest
from celery import current_app
from django.core import mail
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from monitoring import tasks
from monitoring.models import Alert, Delivery, RetrainingDecision
from monitoring.models.delivery import EventKind
from monitoring.services.channels import create_channel
from monitoring.services.checks import run_checks
from monitoring.services.outbox import announce
from monitoring.services.policies import update_policy
from registry.models import ModelVersion, RegisteredModel, Rollout
from registry.services.promotion import champion_of
from registry.services.rollouts import start_rollout
from registry.services.serving import predict
from registry.signals import version_registered
from tests.factories import make_champion, make_version, rows_of
from tests.monitoring.conftest import Ask, tell
from training.models import TrainingJob
from training.services import execution
from training.services.claims import claim

Message = tuple[str, list[object], dict[str, object]]

Inbox = Callable[[], list[Message]]


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """Return a reader of what waits in the broker's monitoring queue: task, arguments, keywords."""
    with current_app.connection_for_read() as connection:
        queue = connection.SimpleQueue("monitoring")
        queue.clear()

        def read() -> list[Message]:
            found = []
            while queue.qsize():
                message = queue.get(timeout=5)
                message.ack()
                args, kwargs, _ = message.payload
                found.append((message.headers["task"], args, kwargs))
            return sorted(found, key=str)

        yield read
        queue.close()


@pytest.fixture
def drifted(model: RegisteredModel, ask: Ask) -> RegisteredModel:
    """A model whose next check starts a retraining."""
    tell(ask(60, drifted=20))
    return model


CONFIG = {"algorithms": [{"key": "logistic_regression", "params": {}}], "folds": 2, "seed": 1}


def test_a_check_leads_to_a_job_a_version_and_a_new_champion(
    drifted: RegisteredModel, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    TrainingJob.objects.create(
        model=drifted,
        dataset=drifted.versions.get().dataset,
        config={**CONFIG, "holdout": 0.2},
        state="failed",
        created_by="test",
    )
    with django_capture_on_commit_callbacks() as callbacks:
        result = tasks.submit_checks(model=drifted, by=SYSTEM)
    assert result.decision is not None
    job = result.decision.job
    assert job is not None
    assert (job.trigger, job.config["folds"], len(callbacks)) == ("policy", 2, 1)
    taken = claim(job_id=job.pk)
    assert taken is not None
    execution.run(claim=taken)
    tasks.settle_decision(result.decision.pk, tenant_id=drifted.tenant_id)
    decision = RetrainingDecision.objects.get()
    assert decision.state in {"promoted", "kept"}, decision.outcome
    champion = champion_of(drifted)
    assert champion is not None
    assert champion.number == (2 if decision.state == "promoted" else 1)


def test_checking_twice_submits_once(drifted: RegisteredModel) -> None:
    tasks.check_model(drifted.pk, tenant_id=drifted.tenant_id)
    tasks.check_model(drifted.pk, tenant_id=drifted.tenant_id)
    assert TrainingJob.objects.count() == 1
    assert RetrainingDecision.objects.filter(state="training").count() == 1


def test_a_job_that_cannot_be_submitted_fails_the_decision(drifted: RegisteredModel) -> None:
    update_policy(model=drifted, by=SYSTEM, minimum_outcomes=1)
    decision = run_checks(model=drifted, by=SYSTEM).decision
    assert decision is not None
    decision.inputs = {**decision.inputs, "config": {"algorithms": [{"key": "crystal_ball"}]}}
    failed = tasks.submit_retraining(decision=decision)
    assert failed.state == "failed"
    assert "crystal_ball" in failed.outcome


def test_every_deployed_model_of_every_tenant_is_checked(
    model: RegisteredModel, other_tenant: Tenant, inbox: Inbox
) -> None:
    with tenant_scope(other_tenant), tenant_transaction():
        theirs = make_champion().model
    assert tasks.check_all_models() == 2
    assert inbox() == [
        ("monitoring.check_model", [model.pk], {"tenant_id": model.tenant_id}),
        ("monitoring.check_model", [theirs.pk], {"tenant_id": other_tenant.pk}),
    ]


def test_decisions_on_their_way_are_looked_at(drifted: RegisteredModel, inbox: Inbox) -> None:
    decision = tasks.submit_checks(model=drifted, by=SYSTEM).decision
    assert decision is not None
    assert tasks.settle_decisions() == 1
    assert inbox() == [("monitoring.settle_decision", [decision.pk], {"tenant_id": drifted.tenant_id})]


def test_an_outcome_has_its_rollout_weighed_and_more_wait_for_the_same_message(
    champion: ModelVersion, inbox: Inbox, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    other = make_version(champion.model, dataset=champion.dataset)
    rollout = start_rollout(model=champion.model, challenger=other, by=SYSTEM)
    keys = [f"case {number}" for number in range(8)]
    answers = predict(
        model=champion.model, rows=rows_of(champion, 8), entity_keys=keys, by=SYSTEM
    ).predictions
    for part in (answers[:1], answers[1:]):
        with django_capture_on_commit_callbacks(execute=True):
            tell(part)
    message = ("monitoring.tend_rollout", [rollout.pk], {"tenant_id": rollout.tenant_id})
    assert inbox() == [message]
    tasks.tend_rollout(rollout.pk, tenant_id=rollout.tenant_id)
    assert Rollout.objects.get().verdict["champion"]["cases"] > 0
    with django_capture_on_commit_callbacks(execute=True):
        tell(answers, wrong=True)
    assert inbox() == [message]
    assert tasks.tend_rollouts() == 1
    assert inbox() == [message]


def test_a_new_version_only_enqueues_a_task(inbox: Inbox) -> None:
    version_registered.send(sender=None, tenant_id=7, version_id=9)
    assert inbox() == [("monitoring.settle_version", [9], {"tenant_id": 7})]


def test_a_version_nobody_decided_on_is_left_alone(model: RegisteredModel) -> None:
    tasks.settle_version(model.versions.get().pk, tenant_id=model.tenant_id)
    assert not RetrainingDecision.objects.exists()


def test_an_alert_is_written_nudged_and_delivered(
    model: RegisteredModel,
    inbox: Inbox,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    named = {"addresses": ["desk@clinic.example"]}
    create_channel(name="Desk", kind="email", settings=named, least_severity="info", by=SYSTEM)
    alert = Alert.objects.create(model=model, severity="info", title="Moved", last_seen_at=timezone.now())
    of = {"tenant_id": model.tenant_id}
    with django_capture_on_commit_callbacks(execute=True):
        (delivery,) = announce(EventKind.RAISED, [alert])
    assert inbox() == [("monitoring.deliver_waiting", [], of)]
    assert tasks.tend_alerts() == 1
    assert inbox() == [("monitoring.tend_alerts_of", [], of)]
    tasks.tend_alerts_of(**of)  # what finds the message where the first one was lost
    tasks.deliver_waiting(**of)
    assert inbox() == [("monitoring.deliver", [delivery.pk], of)] * 2
    for _ in range(2):
        tasks.deliver_one(delivery.pk, **of)
    assert [letter.to for letter in mail.outbox] == [["desk@clinic.example"]]


def test_a_message_that_did_not_arrive_is_sent_again_after_its_pause(
    model: RegisteredModel, inbox: Inbox
) -> None:
    create_channel(name="Watchers", kind="email", by=SYSTEM)  # nobody is there to write to
    alert = Alert.objects.create(model=model, severity="critical", title="Moved", last_seen_at=timezone.now())
    (delivery,) = announce(EventKind.RAISED, [alert])
    of = {"tenant_id": model.tenant_id}
    tasks.deliver_one(delivery.pk, **of)
    assert inbox() == [("monitoring.deliver", [delivery.pk], of)]
    assert tasks.send_digests() == 1
    assert inbox() == [("monitoring.send_digests_of", [], of)]
    tasks.send_digests_of(**of)
    assert Delivery.objects.count() == 1
