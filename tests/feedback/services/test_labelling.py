"""Labelling by hand: what is asked first, second opinions, disagreements, and how far people agree."""

from collections.abc import Sequence

import pytest

from feedback.errors import CannotLabel, DecisionReasonMissing, LabelItemNotFound
from feedback.models import Label, LabelItem, Outcome
from feedback.models.label import LabelState
from feedback.services.agreement import agreement_of
from feedback.services.candidates import Reason, choices_of, labelling_queue
from feedback.services.feedback_settings import update_feedback_settings
from feedback.services.labelling import decide, find_label_item, give_label, skip_label
from feedback.services.outcomes import OutcomeItem, record_outcomes
from feedback.services.subjects import export_subject
from mlplatform.errors import NotAllowed
from mlplatform.tenancy.actors import SYSTEM, Actor, ActorKind
from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.services.tenants import add_member
from registry.models import ModelVersion, Prediction, ShadowAnswer
from registry.problems import InvalidOutcome
from registry.services.models import create_model
from registry.services.serving import predict
from tests.factories import make_champion, make_model, make_version, rows_of
from tests.feedback.conftest import asked

ANN, BEN, CAT = (Actor(ActorKind.USER, f"{name}@clinic.example") for name in ("ann", "ben", "cat"))


def queued(version: ModelVersion, by: Actor = ANN, reason: Reason | None = None) -> list[object]:
    return [
        one.prediction.pk for one in labelling_queue(model=version.model, by=by, reason=reason, limit=100)
    ]


def outcome(prediction: Prediction) -> tuple[str, str, str]:
    row = Outcome.objects.get(prediction=prediction, current=True)
    return row.label, row.source, row.received_from


# --- What is asked first --------------------------------------------------------------------------
def test_the_answer_with_the_smallest_margin_comes_first(champion: ModelVersion) -> None:
    rows = asked(champion, 30)
    margins = {row.pk: abs(row.probabilities["benign"] - 0.5) for row in rows if row.probabilities}
    [first, *others] = labelling_queue(model=champion.model, by=ANN, reason=Reason.UNCERTAIN, limit=100)
    assert first.prediction.pk == min(margins, key=lambda key: margins[key])
    found = [margins[one.prediction.pk] for one in (first, *others)]
    assert found == sorted(found)
    assert choices_of(first.prediction.version) == ["benign", "malignant"]


def test_a_row_far_from_the_training_rows_comes_first(champion: ModelVersion) -> None:
    asked(champion, 20)
    far = [{name: value * 50 for name, value in row.items()} for row in rows_of(champion, 1)]
    strange = predict(model=champion.model, rows=far, by=SYSTEM).predictions[0]
    assert queued(champion, reason=Reason.DRIFTED)[0] == strange.pk


def test_a_row_that_a_shadow_answers_otherwise_comes_first(champion: ModelVersion) -> None:
    rows = asked(champion, 10)
    shadow = make_version(champion.model, dataset=champion.dataset)
    other = {"benign": "malignant", "malignant": "benign"}
    for place, row in enumerate(rows):
        ShadowAnswer.objects.create(
            prediction=row,
            model=champion.model,
            version=shadow,
            label=other[row.label] if place == 4 else row.label,
            asked_at=row.created_at,
        )
    assert queued(champion, reason=Reason.DISAGREEING) == [rows[4].pk]
    [told] = [one for one in labelling_queue(model=champion.model, by=ANN) if one.prediction.pk == rows[4].pk]
    assert Reason.DISAGREEING in told.reasons


def test_numbers_of_a_less_sure_version_come_first(in_tenant: Tenant) -> None:
    version = make_champion(make_model(data="diabetes"))
    asked(version, 4)
    assert queued(version, reason=Reason.UNCERTAIN) == []  # all intervals are as wide
    assert len(queued(version)) == 4


def test_what_is_known_labelled_or_skipped_is_not_asked_again(champion: ModelVersion) -> None:
    rows = asked(champion, 5)
    record_outcomes(items=[OutcomeItem(rows[0].pk, "benign")], source="api", by=SYSTEM)
    give_label(prediction=rows[1], value="benign", by=ANN)
    skip_label(prediction=rows[2], by=ANN)
    assert set(queued(champion)) == {rows[3].pk, rows[4].pk}
    assert set(queued(champion, BEN)) == {rows[2].pk, rows[3].pk, rows[4].pk}


def test_reading_the_queue_leaves_an_entry(champion: ModelVersion) -> None:
    asked(champion, 3)
    queued(champion)
    read = AuditEvent.objects.filter(action="predictions.read").get()
    assert (read.actor_label, read.details["rows"]) == (ANN.label, 3)


def test_a_model_that_nothing_can_prove_has_no_queue(in_tenant: Tenant) -> None:
    groups = create_model(name="groups", problem_type="clustering", by=SYSTEM)
    assert labelling_queue(model=groups, by=ANN) == []


# --- Labels and second opinions -------------------------------------------------------------------
def test_a_label_is_an_outcome_with_the_person_as_its_source(predictions: Sequence[Prediction]) -> None:
    item = give_label(prediction=predictions[0], value="Benign", by=ANN)
    assert (item.state, item.settled_by) == (LabelState.SETTLED, str(ANN))
    assert outcome(predictions[0]) == ("benign", "labelling", str(ANN))
    actions = AuditEvent.objects.order_by("pk").values_list("action", flat=True)
    assert [one for one in actions if one.startswith(("label", "outcomes"))] == [
        "outcomes.recorded",
        "label.given",
    ]
    with pytest.raises(CannotLabel, match="labelled already"):
        give_label(prediction=predictions[0], value="malignant", by=BEN)


def test_a_label_that_the_model_cannot_mean_is_refused(predictions: Sequence[Prediction]) -> None:
    with pytest.raises(InvalidOutcome, match="not a class"):
        give_label(prediction=predictions[0], value="purple", by=ANN)
    assert not LabelItem.objects.exists()


def test_two_who_agree_make_an_outcome(predictions: Sequence[Prediction], champion: ModelVersion) -> None:
    item = give_label(prediction=predictions[0], value="benign", by=ANN, second=True)
    assert item.state == LabelState.WAITING
    assert not Outcome.objects.exists()
    with pytest.raises(CannotLabel, match="somebody else"):
        give_label(prediction=predictions[0], value="benign", by=ANN)
    assert predictions[0].pk not in queued(champion, ANN)
    assert queued(champion, BEN)[0] == predictions[0].pk
    assert give_label(prediction=predictions[0], value="benign", by=BEN).state == LabelState.SETTLED
    assert outcome(predictions[0]) == ("benign", "agreed", str(BEN))


def test_a_disagreement_is_no_outcome_until_a_third_decides(predictions: Sequence[Prediction]) -> None:
    give_label(prediction=predictions[0], value="benign", by=ANN, second=True)
    item = give_label(prediction=predictions[0], value="malignant", by=BEN)
    assert item.state == LabelState.DISPUTED
    assert not Outcome.objects.exists()
    with pytest.raises(CannotLabel, match="Decide it"):
        give_label(prediction=predictions[0], value="benign", by=CAT)
    with pytest.raises(NotAllowed, match="one of the two"):
        decide(item=item, value="benign", reason="mine", by=ANN)
    with pytest.raises(DecisionReasonMissing):
        decide(item=item, value="benign", reason=" ", by=CAT)
    done = decide(item=item, value="malignant", reason="the biopsy", by=CAT)
    assert (done.state, done.settled_by, done.reason) == (LabelState.SETTLED, str(CAT), "the biopsy")
    assert outcome(predictions[0]) == ("malignant", "agreed", str(CAT))
    with pytest.raises(CannotLabel, match="nothing to decide"):
        decide(item=item, value="benign", reason="again", by=CAT)


def test_the_owner_may_decide_alone_and_where_no_second_opinion_comes(
    predictions: Sequence[Prediction],
) -> None:
    item = give_label(prediction=predictions[0], value="benign", by=ANN, second=True)
    with pytest.raises(NotAllowed, match="waits for a second opinion"):
        decide(item=item, value="benign", reason="enough", by=CAT)
    decide(item=item, value="benign", reason="nobody else is there", by=ANN, owner=True)
    assert outcome(predictions[0]) == ("benign", "agreed", str(ANN))


def test_numbers_that_are_near_agree_on_their_mean(number: Prediction) -> None:
    give_label(prediction=number, value="150", by=ANN, second=True)
    assert give_label(prediction=number, value=160, by=BEN).state == LabelState.SETTLED
    assert Outcome.objects.get().value == 155.0
    agreed = agreement_of(number.model).overall
    assert (agreed.rows, agreed.agreed, agreed.kappa) == (1, 1, None)


def test_a_share_of_the_rows_is_labelled_twice_where_there_are_two(champion: ModelVersion) -> None:
    update_feedback_settings(model=champion.model, by=SYSTEM, second_opinion_share=1.0)
    alone, together = asked(champion, 2)
    add_member(email="ann@clinic.example", role="operator", by=SYSTEM)
    add_member(email="reader@clinic.example", role="viewer", by=SYSTEM)
    assert give_label(prediction=alone, value="benign", by=ANN).state == LabelState.SETTLED
    add_member(email="ben@clinic.example", role="approver", by=SYSTEM)
    assert give_label(prediction=together, value="benign", by=ANN).state == LabelState.WAITING


def test_about_the_stated_share_is_labelled_twice(champion: ModelVersion) -> None:
    update_feedback_settings(model=champion.model, by=SYSTEM, second_opinion_share=0.3)
    for name in ("ann", "ben"):
        add_member(email=f"{name}@clinic.example", role="operator", by=SYSTEM)
    for row in asked(champion, 100):
        give_label(prediction=row, value="benign", by=ANN)
    assert 12 <= LabelItem.objects.filter(state=LabelState.WAITING).count() <= 48


def test_who_skipped_may_label_later(predictions: Sequence[Prediction]) -> None:
    skip_label(prediction=predictions[0], by=ANN)
    skip_label(prediction=predictions[0], by=ANN)
    give_label(prediction=predictions[0], value="benign", by=ANN)
    assert Label.objects.get().told == "benign"


def test_agreement_by_pair_and_overall(champion: ModelVersion) -> None:
    said = [
        ("benign", "benign"),
        ("malignant", "malignant"),
        ("benign", "malignant"),
        ("malignant", "malignant"),
    ]
    for row, (one, other) in zip(asked(champion, 4), said, strict=True):
        give_label(prediction=row, value=one, by=ANN, second=True)
        give_label(prediction=row, value=other, by=BEN)
    [row] = asked(champion, 1)
    give_label(prediction=row, value="benign", by=CAT, second=True)
    give_label(prediction=row, value="benign", by=ANN)
    found = agreement_of(champion.model)
    assert [(one.people, one.rows, one.agreed) for one in found.pairs] == [
        ((str(ANN), str(BEN)), 4, 3),
        ((str(ANN), str(CAT)), 1, 1),
    ]
    assert (found.pairs[0].kappa, found.pairs[1].kappa) == (0.5, None)
    assert (found.overall.rows, found.overall.share) == (5, 0.8)


def test_an_unknown_item_is_told_so(in_tenant: Tenant) -> None:
    with pytest.raises(LabelItemNotFound):
        find_label_item(17)


def test_labels_leave_with_the_person_that_they_are_about(champion: ModelVersion) -> None:
    [row] = predict(
        model=champion.model, rows=rows_of(champion), entity_keys=["patient-1"], by=SYSTEM
    ).predictions
    give_label(prediction=row, value="benign", by=ANN, second=True)
    told = "".join(export_subject(key="patient-1", by=SYSTEM).lines)
    assert '"labels": [{"value": "benign", "by": "ann@clinic.example"' in told
