"""Labelling predictions by hand, with second opinions; a label becomes an outcome like any report.

Who gives a second opinion is not told the first one. Where two people disagree, somebody else decides, or the
tenant's owner; until then it is no outcome.
"""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from feedback.errors import CannotLabel, DecisionReasonMissing, LabelItemNotFound
from feedback.models import Label, LabelItem
from feedback.models.label import LabelState
from feedback.services.feedback_settings import feedback_settings_of
from feedback.services.outcomes import OutcomeItem, record_outcomes
from feedback.services.reported import AGREED
from feedback.statistics.agreement import numbers_agree
from mlplatform.errors import NotAllowed
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import Membership
from mlplatform.tenancy.permissions import ROLE_CAPABILITIES, Capability
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from registry.models import Prediction

LABELLING = "labelling"  # the source of outcomes that one person told
LONGEST_REASON = 500
UNDECIDED = (LabelState.WAITING, LabelState.DISPUTED)
RANDOM_BITS = 16


def label_items() -> QuerySet[LabelItem]:
    """Return what was labelled, newest first."""
    light = ("prediction__features", "prediction__probabilities")
    return LabelItem.objects.select_related("model", "prediction").defer(*light).prefetch_related("labels")


def find_label_item(pk: int) -> LabelItem:
    """Return the labelled row; raises LabelItemNotFound."""
    found = label_items().filter(pk=pk).first()
    if found is None:
        raise LabelItemNotFound(f"There is no labelled row {pk}. List them at /api/v1/labelled.")
    return found


def give_label(*, prediction: Prediction, value: object, by: Actor, second: bool = False) -> LabelItem:
    """Note what the person says of the prediction, and record it as its outcome where nobody else is asked.

    Two people are asked where one of them wants it (``second``), or the row is in the share that is labelled
    twice. If they agree, that is the outcome, of numbers their mean; else it waits for ``decide``.

    Raises InvalidOutcome for what the model cannot have answered, and CannotLabel.
    """
    told = prediction.model.problem.parse_outcome(value, prediction.version.classes)
    with tenant_transaction():
        item = _item(prediction)
        given = _opinions(item, by)
        words = {"label": told, "value": None} if isinstance(told, str) else {"label": "", "value": told}
        mine, _ = Label.objects.update_or_create(
            item=item, person=_name(by), defaults={"model": item.model, "skipped": False, **words}
        )
        before = item.state
        item.second = item.second or second or _is_in_share(prediction)
        _settle(item, [*given, mine], by)
        record(
            by=by,
            action="label.given",
            target=item,
            before={"state": before},
            after={"state": item.state, "second": item.second},
        )
    return find_label_item(item.pk)


def skip_label(*, prediction: Prediction, by: Actor) -> LabelItem:
    """Note that the person would rather not label this row: it is not offered to them again.

    Raises CannotLabel.
    """
    with tenant_transaction():
        item = _item(prediction)
        _opinions(item, by)
        Label.objects.get_or_create(
            item=item, person=_name(by), defaults={"model": item.model, "skipped": True}
        )
        record(by=by, action="label.skipped", target=item)
    return find_label_item(item.pk)


def decide(*, item: LabelItem, value: object, reason: str, by: Actor, owner: bool = False) -> LabelItem:
    """Say what it is where two people disagree, or, as the ``owner``, where no second opinion comes.

    Raises InvalidOutcome, DecisionReasonMissing, CannotLabel where there is nothing to decide, and NotAllowed
    for who is one of the two and not the owner.
    """
    reason = reason.strip()[:LONGEST_REASON]
    if not reason:
        raise DecisionReasonMissing("Say why.", fields={"reason": ["Needed."]})
    prediction = Prediction.objects.select_related("model", "version").get(pk=item.prediction_id)
    told = prediction.model.problem.parse_outcome(value, prediction.version.classes)
    with tenant_transaction():
        row = LabelItem.objects.select_for_update().get(pk=item.pk)
        if row.state not in UNDECIDED:
            raise CannotLabel("There is nothing to decide: nobody disagrees about this row.")
        if not owner and row.state == LabelState.WAITING:
            raise NotAllowed("It waits for a second opinion. Give one, or ask the tenant's admin.")
        if not owner and row.labels.filter(person=_name(by), skipped=False).exists():
            raise NotAllowed("You are one of the two. Ask somebody else to decide.", code="own_labels")
        before = row.state
        _record(row, told, AGREED, by, reason)
        after = {"state": row.state, "reason": reason}
        record(by=by, action="label.decided", target=row, before={"state": before}, after=after)
    return find_label_item(row.pk)


def _item(prediction: Prediction) -> LabelItem:
    """Return the prediction's labelling, locked until the transaction ends."""
    LabelItem.objects.get_or_create(prediction=prediction, defaults={"model": prediction.model})
    locked = LabelItem.objects.select_for_update(of=("self",)).select_related("model")
    return locked.get(prediction=prediction)


def _opinions(item: LabelItem, by: Actor) -> list[Label]:
    """Return what others said; raises CannotLabel where this person has no say any more."""
    if item.state == LabelState.SETTLED:
        raise CannotLabel("This row is labelled already. Another outcome corrects it: POST /api/v1/outcomes.")
    if item.state == LabelState.DISPUTED:
        raise CannotLabel("Two people disagree about this row. Decide it instead.")
    given = list(item.labels.filter(skipped=False))
    if any(one.person == _name(by) for one in given):
        raise CannotLabel("You have labelled this row; it waits for somebody else's opinion.")
    return given


def _settle(item: LabelItem, given: list[Label], by: Actor) -> None:
    """Record the outcome where there is one, else note what the row waits for."""
    if len(given) == 2:
        told = _common(item, *given)
        if told is not None:
            _record(item, told, AGREED, by)
            return
    elif not item.second:
        _record(item, given[0].told, LABELLING, by)
        return
    item.state = LabelState.DISPUTED if len(given) == 2 else LabelState.WAITING
    item.save(update_fields=["state", "second"])


def _common(item: LabelItem, one: Label, other: Label) -> str | float | None:
    """Return what both say, None where they do not agree."""
    if one.value is None or other.value is None:
        return one.label if one.label == other.label else None
    tolerance = feedback_settings_of(item.model).number_tolerance
    return (one.value + other.value) / 2 if numbers_agree(one.value, other.value, tolerance) else None


def _record(item: LabelItem, value: Any, source: str, by: Actor, reason: str = "") -> None:
    told = OutcomeItem(item.prediction_id, value)
    record_outcomes(items=[told], source=source, by=by, hold_unknown=False)
    item.state, item.settled_at, item.settled_by = LabelState.SETTLED, timezone.now(), _name(by)
    item.reason = reason
    item.save(update_fields=["state", "second", "settled_at", "settled_by", "reason"])


def _is_in_share(prediction: Prediction) -> bool:
    """Tell whether the row is one of those that two people label; of one person's tenant none is."""
    share = feedback_settings_of(prediction.model).second_opinion_share
    chance = (prediction.pk.int & ((1 << RANDOM_BITS) - 1)) / (1 << RANDOM_BITS)
    if chance >= share:
        return False
    able = [role for role, held in ROLE_CAPABILITIES.items() if Capability.FEEDBACK in held]
    return Membership.objects.filter(role__in=able, user__is_active=True).count() > 1


def _name(by: Actor) -> str:
    return str(by)[:200]
