import json
from typing import Any

import pytest
from django.utils import timezone

from feedback.models import HeldOutcome, Outcome, Rating, SubjectErasure
from feedback.services import erasures
from feedback.services.erasures import carry_out, erase_subject, request_erasure, unfinished
from feedback.services.outcomes import OutcomeItem, record_outcomes
from feedback.services.subjects import UNTRACEABLE, export_subject, holdings
from feedback.tasks import submit_erasure, sweep_erasures
from mlplatform.errors import InvalidInput, NotAllowed
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Tenant, Usage
from mlplatform.tenancy.scope import Sight, tenant_scope, tenant_transaction
from mlplatform.tenancy.services.usage import measured
from monitoring.models import PerformanceSnapshot
from monitoring.services.performance import measure
from registry.models import ModelVersion, Prediction
from registry.services.datasets import freeze
from registry.services.pseudonyms import entity_pseudonym
from registry.services.serving import predict
from registry.tabular.schema import Treatment
from tests.factories import make_champion, make_model, make_version, rows_of, table
from training.services.datasets import retraining_dataset

ALICE, BO = "alice@clinic.example", "bo@clinic.example"


@pytest.fixture
def champion(in_tenant: Tenant) -> ModelVersion:
    """A deployed version that was asked about Alice three times, about Bo once, about nobody once."""
    champion = make_champion()
    keys = [ALICE, BO, ALICE, None, ALICE]
    asked = predict(model=champion.model, rows=rows_of(champion, 5), by=SYSTEM, entity_keys=keys).predictions
    turned_out = [OutcomeItem(one.pk, "benign") for one in asked[:3]]
    record_outcomes(items=turned_out, source="api", by=SYSTEM)
    record_outcomes(items=[OutcomeItem(asked[0].pk, "malignant")], source="api", by=SYSTEM)
    return champion


def counts() -> tuple[int, int]:
    return Prediction.objects.count(), Outcome.objects.count()


def test_looking_a_person_up_counts_and_changes_nothing(champion: ModelVersion) -> None:
    found = holdings(key=ALICE, by=SYSTEM)
    assert found.models == [{"model": "cancer", "predictions": 3, "outcomes": 3}]
    assert (found.entity, found.predictions) == (entity_pseudonym(ALICE), 3)
    assert counts() == (5, 4)
    assert holdings(key=found.entity, by=SYSTEM) == found
    assert holdings(key="nobody", by=SYSTEM).models == []


def test_a_persons_rows_go_and_all_others_stay(champion: ModelVersion) -> None:
    snapshot = measure(model=champion.model)
    erasure = erase_subject(key=ALICE, by=SYSTEM)
    assert (erasure.predictions, erasure.outcomes) == (3, 3)
    assert erasure.finished_at is not None
    assert counts() == (2, 1)
    assert holdings(key=ALICE, by=SYSTEM).models == []
    assert holdings(key=BO, by=SYSTEM).predictions == 1
    assert PerformanceSnapshot.objects.get() == snapshot


def test_the_room_of_erased_rows_is_given_back(champion: ModelVersion) -> None:
    before = Usage.objects.get().stored_rows
    erase_subject(key=ALICE, by=SYSTEM)
    assert Usage.objects.get().stored_rows == before - 3 == measured("stored_rows")


def test_erasing_twice_erases_once(champion: ModelVersion) -> None:
    first = erase_subject(key=ALICE, by=SYSTEM)
    assert carry_out(erasure=first).finished_at == first.finished_at
    assert erase_subject(key=ALICE, by=SYSTEM).predictions == 0
    assert counts() == (2, 1)
    assert AuditEvent.objects.filter(action="subject.erased").count() == 2


def test_one_model_alone_can_be_chosen(champion: ModelVersion) -> None:
    other = make_champion(make_model(data="diabetes"))
    predict(model=other.model, rows=rows_of(other), by=SYSTEM, entity_keys=[ALICE])
    assert erase_subject(key=ALICE, model=other.model, by=SYSTEM).predictions == 1
    assert holdings(key=ALICE, by=SYSTEM).models == [{"model": "cancer", "predictions": 3, "outcomes": 3}]


def test_large_logs_go_in_batches_and_a_broken_erasure_goes_on(
    champion: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasures, "AT_ONCE", 2)
    told: list[int] = []

    def interrupted(removed: int) -> None:
        told.append(removed)
        raise KeyboardInterrupt

    erasure = request_erasure(key=ALICE, by=SYSTEM)
    with pytest.raises(KeyboardInterrupt):
        carry_out(erasure=erasure, on_progress=interrupted)
    assert (told, Prediction.objects.count()) == ([2], 3)
    assert SubjectErasure.objects.get().finished_at is None
    done = carry_out(erasure=SubjectErasure.objects.get(), on_progress=told.append)
    assert (told, done.predictions, done.outcomes) == ([2, 3], 3, 3)


def test_the_trail_tells_what_was_done_but_not_of_whom(champion: ModelVersion) -> None:
    erase_subject(key=ALICE, by=SYSTEM)
    asked, done = AuditEvent.objects.filter(action__startswith="subject.").order_by("sequence")
    assert (asked.action, asked.details["predictions"]) == ("subject.erasure_requested", 3)
    assert (done.action, done.object_id) == ("subject.erased", entity_pseudonym(ALICE))
    assert (done.details["predictions"], done.details["outcomes"]) == (3, 3)
    everything = str([event.entry() for event in AuditEvent.objects.all()])
    assert "alice" not in everything + str(list(SubjectErasure.objects.values()))


def test_data_frozen_from_the_log_is_traced_to_its_versions(champion: ModelVersion) -> None:
    dataset = retraining_dataset(model=champion.model, by=SYSTEM)
    version = make_version(champion.model, dataset=dataset)
    traces = holdings(key=ALICE, by=SYSTEM).traces
    assert traces.learnt == [{"dataset": dataset.pk, "name": dataset.name, "versions": [str(version)]}]
    assert traces.untraceable == UNTRACEABLE
    assert holdings(key="nobody", by=SYSTEM).traces.learnt == []
    erasure = erase_subject(key=ALICE, by=SYSTEM)
    assert erasure.traces["learnt"] == traces.learnt


def test_data_frozen_before_the_outcome_was_known_is_not_blamed(champion: ModelVersion) -> None:
    dataset = retraining_dataset(model=champion.model, by=SYSTEM)
    [late] = predict(
        model=champion.model, rows=rows_of(champion), by=SYSTEM, entity_keys=["late"]
    ).predictions
    record_outcomes(items=[OutcomeItem(late.pk, "benign")], source="api", by=SYSTEM)
    assert dataset.created_at < timezone.now()
    assert holdings(key="late", by=SYSTEM).traces.learnt == []


def test_imported_data_that_names_the_person_is_found(champion: ModelVersion) -> None:
    frame = table().assign(patient=[ALICE if number in {3, 9} else f"p{number}" for number in range(569)])
    marks = {"patient": Treatment.pseudonymise}
    dataset, _ = freeze(name="named", frame=frame, by=SYSTEM, origin={"kind": "test"}, personal=marks)
    assert holdings(key=ALICE, by=SYSTEM).traces.named == [
        {"dataset": dataset.pk, "name": "named", "column": "patient", "rows": 2}
    ]


def document(**asked: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads("".join(export_subject(**asked, by=SYSTEM).lines))
    return found


def test_everything_held_is_exported(champion: ModelVersion) -> None:
    held = document(key=ALICE)
    assert held["entity"] == entity_pseudonym(ALICE)
    assert len(held["predictions"]) == 3
    first, _, last = sorted(held["predictions"], key=lambda one: one["asked_at"])
    assert first["features"] == rows_of(champion)[0]
    assert [(one["value"], one["current"]) for one in first["outcomes"]] == [
        ("malignant", True), ("benign", False),
    ]  # fmt: skip
    assert last["outcomes"] == []
    assert held["traces"]["untraceable"] == UNTRACEABLE
    assert document(key="nobody")["predictions"] == []
    told = AuditEvent.objects.filter(action="subject.exported").order_by("sequence")[0]
    assert (told.object_id, told.details) == (entity_pseudonym(ALICE), {"predictions": 3})


def test_opinions_and_what_found_no_prediction_are_exported_and_erased_too(champion: ModelVersion) -> None:
    asked = Prediction.objects.filter(entity_key=entity_pseudonym(ALICE)).order_by("created_at")[0]
    rated = OutcomeItem(asked.pk, None, rating="4", comment="close enough")
    early = OutcomeItem("", "benign", ALICE, "cancer", observed_at="2020-01-01T00:00:00Z")
    record_outcomes(items=[rated, early], source="api", by=SYSTEM)
    held = document(key=ALICE)
    [rating] = [rating for one in held["predictions"] for rating in one["ratings"]]
    assert (rating["rating"], rating["comment"], rating["current"]) == ("4", "close enough", True)
    [waiting] = held["waiting"]
    assert (waiting["value"], waiting["observed_at"]) == ("benign", "2020-01-01T00:00:00+00:00")
    erase_subject(key=ALICE, by=SYSTEM)
    assert not Rating.objects.exists()
    assert not HeldOutcome.objects.exists()


def test_a_long_export_is_read_in_batches(champion: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feedback.services.subjects.AT_ONCE", 2)
    assert len({one["id"] for one in document(key=ALICE)["predictions"]}) == 3


@pytest.mark.parametrize("key", ["", "  ", "a\x00b", "x" * 201, "\ud800"])
def test_keys_that_no_prediction_can_carry_are_refused(in_tenant: Tenant, key: str) -> None:
    for act in (holdings, erase_subject, export_subject):
        with pytest.raises(InvalidInput):
            act(key=key, by=SYSTEM)
    assert SubjectErasure.objects.count() == 0


def test_who_sees_some_models_must_name_one(champion: ModelVersion, tenant: Tenant) -> None:
    with tenant_scope(tenant, Sight(only=frozenset({"cancer"}))):
        for act in (holdings, erase_subject, export_subject):
            with pytest.raises(NotAllowed):
                act(key=ALICE, by=SYSTEM)
        assert erase_subject(key=ALICE, model=champion.model, by=SYSTEM).predictions == 3


def test_another_tenants_person_of_the_same_name_stays(champion: ModelVersion, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant), tenant_transaction():
        foreign = make_champion()
        predict(model=foreign.model, rows=rows_of(foreign), by=SYSTEM, entity_keys=[ALICE])
    assert erase_subject(key=ALICE, by=SYSTEM).predictions == 3
    with tenant_scope(other_tenant), tenant_transaction():
        assert holdings(key=ALICE, by=SYSTEM).predictions == 1


def test_a_request_whose_message_was_lost_is_sent_again(
    champion: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    erasure = submit_erasure(key=ALICE, by=SYSTEM)
    assert unfinished(timezone.now()) == []
    assert unfinished(timezone.now() + erasures.LOST_AFTER) == [erasure.pk]
    monkeypatch.setattr(erasures, "LOST_AFTER", -erasures.LOST_AFTER)
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(
        "feedback.tasks.carry_out_erasure.delay", lambda pk, tenant_id: sent.append((pk, tenant_id))
    )
    assert (sweep_erasures(), sent) == (1, [(erasure.pk, erasure.tenant_id)])
