"""Recording outcomes: typed by the model, all or none, corrected without forgetting."""

import uuid
from collections.abc import Sequence

import pytest

from feedback.errors import InvalidOutcomes
from feedback.models import Outcome
from feedback.services.outcomes import MAX_OUTCOMES, OutcomeItem, OutcomeResult, record_outcomes
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import Prediction


def send(*pairs: tuple[object, object], partial: bool = False) -> OutcomeResult:
    items = [OutcomeItem(str(key), value) for key, value in pairs]
    return record_outcomes(items=items, source="api", by=SYSTEM, partial=partial, hold_unknown=False)


def refused(*pairs: tuple[object, object]) -> Sequence[dict[str, object]]:
    with pytest.raises(InvalidOutcomes) as caught:
        send(*pairs)
    return caught.value.errors


def test_an_outcome_is_stored_with_who_sent_it(predictions: list[Prediction]) -> None:
    assert send((predictions[0].pk, "benign")) == OutcomeResult(accepted=1)
    outcome = Outcome.objects.get()
    assert (outcome.label, outcome.value, outcome.current) == ("benign", None, True)
    assert (outcome.source, outcome.received_from) == ("api", str(SYSTEM))


def test_the_same_report_again_changes_nothing(predictions: list[Prediction]) -> None:
    send((predictions[0].pk, "benign"))
    assert send((predictions[0].pk, "benign")) == OutcomeResult(repeated=1)
    assert Outcome.objects.count() == 1


def test_the_same_outcome_twice_in_a_report_counts_once(predictions: list[Prediction]) -> None:
    key = predictions[0].pk
    assert send((key, "benign"), (key, "benign")) == OutcomeResult(accepted=1, repeated=1)


def test_a_correction_becomes_current_and_keeps_the_history(predictions: list[Prediction]) -> None:
    send((predictions[0].pk, "benign"))
    assert send((predictions[0].pk, "malignant")) == OutcomeResult(accepted=1, corrected=1)
    history = list(Outcome.objects.order_by("pk").values_list("label", "current"))
    assert history == [("benign", False), ("malignant", True)]


def test_a_correction_can_be_corrected_back(predictions: list[Prediction]) -> None:
    for label in ("benign", "malignant", "benign"):
        send((predictions[0].pk, label))
    assert Outcome.objects.filter(current=True).get().label == "benign"
    assert Outcome.objects.count() == 3


def test_a_number_is_stored_for_a_regression(number: Prediction) -> None:
    send((number.pk, 151))
    assert Outcome.objects.get().value == 151.0


@pytest.mark.parametrize("value", ["cured", None, 7, True, ["benign"], {"label": "benign"}, float("nan")])
def test_what_is_no_class_is_refused(predictions: list[Prediction], value: object) -> None:
    (error,) = refused((predictions[0].pk, value))
    assert (error["index"], error["code"]) == (0, "invalid_outcome")
    assert not Outcome.objects.exists()


@pytest.mark.parametrize("value", ["high", None, True, float("inf"), float("nan"), "1e999", 10**400])
def test_what_is_no_number_is_refused(number: Prediction, value: object) -> None:
    assert refused((number.pk, value))[0]["code"] == "invalid_outcome"


@pytest.mark.parametrize("key", [uuid.uuid4(), "17", "", "not-an-id", "x" * 500])
def test_an_unknown_prediction_is_named(predictions: list[Prediction], key: object) -> None:
    errors = refused((predictions[0].pk, "benign"), (key, "benign"))
    assert [(error["index"], error["code"]) for error in errors] == [(1, "unknown_prediction")]
    assert not Outcome.objects.exists()


def test_another_tenants_prediction_is_unknown(predictions: list[Prediction], other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant), tenant_transaction():
        assert refused((predictions[0].pk, "benign"))[0]["code"] == "unknown_prediction"
        assert not Outcome.objects.exists()


def test_two_values_for_one_prediction_contradict_each_other(predictions: list[Prediction]) -> None:
    key = predictions[0].pk
    assert refused((key, "benign"), (key, "malignant"))[0]["code"] == "contradiction"


def test_a_partial_report_records_the_good_ones(predictions: list[Prediction]) -> None:
    result = send((predictions[0].pk, "benign"), (predictions[1].pk, "cured"), partial=True)
    assert (result.accepted, [error["index"] for error in result.errors]) == (1, [1])


@pytest.mark.parametrize("count", [0, MAX_OUTCOMES + 1])
def test_an_empty_or_endless_report_is_refused(in_tenant: Tenant, count: int) -> None:
    with pytest.raises(InvalidOutcomes, match=r"at least one|At most"):
        record_outcomes(items=[OutcomeItem("x", "y")] * count, source="api", by=SYSTEM)


def test_one_audit_row_per_model_tells_how_many(predictions: list[Prediction], number: Prediction) -> None:
    send((predictions[0].pk, "benign"), (predictions[1].pk, "benign"), (number.pk, 3))
    told = AuditEvent.objects.filter(action="outcomes.recorded").values_list("object_label", "details")
    assert {label: details["count"] for label, details in told} == {"cancer": 2, "diabetes": 1}
