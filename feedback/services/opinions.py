"""Ratings and comments: understanding them, and what they come to beside those that are stored."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from feedback.models import Rating
from feedback.models.rating import Stars
from feedback.services.reported import Opinion, OutcomeItem, Unclear
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.bulk_rows import insert_rows
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.settings import setting
from registry.inference.values import unstorable
from registry.models import RegisteredModel

LONGEST_COMMENT = 2_000
Said = tuple[str, str]


def opinion_in(item: OutcomeItem) -> Said:
    """Return the item's rating and comment, either of them empty where it has none; raises Unclear."""
    return _rating(item.rating), _comment(item.comment)


def write_opinions(
    opinions: Sequence[Opinion], models: Mapping[int, RegisteredModel], *, by: Actor, source: str
) -> int:
    """Store what is new of the opinions and return how many that were; call it in the tenant's transaction.

    Each sender has one that counts for each prediction. Where the tenant does not want comments, they are
    left out, and what is nothing but a comment is not stored.
    """
    if not opinions:
        return 0
    heard = _heard(opinions)
    current = {key: (pk, said) for key, pk, said in _current(heard)}
    new: list[dict[str, Any]] = []
    replaced: list[int] = []
    for key, told in heard.items():
        pk, known = current.get(key, (None, None))
        fresh = list(_changes(known, told))
        if fresh and pk is not None:
            replaced.append(pk)
        new += [_row(one, counts=one is fresh[-1]) for one in fresh]
    if replaced:
        Rating.objects.filter(pk__among=replaced).update(current=False)
    insert_rows(Rating, new)
    for model_id in {row["model_id"] for row in new}:
        count = sum(row["model_id"] == model_id for row in new)
        record(by=by, action="ratings.recorded", target=models[model_id], count=count, source=source)
    return len(new)


def _heard(opinions: Iterable[Opinion]) -> dict[tuple[Any, str], list[Opinion]]:
    silent = setting("drop_comments")
    heard: dict[tuple[Any, str], list[Opinion]] = {}
    for one in opinions:
        kept = one._replace(comment="") if silent else one
        if kept.rating or kept.comment:
            heard.setdefault((kept.asked.id, kept.origin.received_from), []).append(kept)
    return heard


def _current(heard: Mapping[tuple[Any, str], object]) -> Iterable[tuple[tuple[Any, str], int, Said]]:
    asked = {prediction for prediction, _ in heard}
    rows = Rating.objects.filter(prediction__among=asked, current=True)
    for prediction, sender, pk, rating, comment in rows.values_list(
        "prediction_id", "received_from", "pk", "rating", "comment"
    ):
        yield (prediction, sender), pk, (rating, comment)


def _changes(known: Said | None, told: Iterable[Opinion]) -> Iterable[Opinion]:
    """Yield what differs from what was said before it; a rating alone leaves an earlier comment be."""
    for one in told:
        said = (one.rating or (known[0] if known else ""), one.comment or (known[1] if known else ""))
        if said != known:
            known = said
            yield one._replace(rating=said[0], comment=said[1])


def _row(one: Opinion, *, counts: bool) -> dict[str, Any]:
    return {
        "prediction_id": one.asked.id,
        "model_id": one.model_id,
        "rating": one.rating,
        "comment": one.comment,
        "current": counts,
        "source": one.origin.source,
        "received_at": one.origin.received_at,
        "received_from": one.origin.received_from,
    }


def _rating(given: object) -> str:
    if given is None or given == "":
        return ""
    text = str(given).strip().lower() if isinstance(given, str | int | float) else ""
    text = text.removesuffix(".0")
    if isinstance(given, bool) or text not in Stars.values:
        raise Unclear("invalid_rating", "A rating is 1, 2, 3, 4 or 5, or up or down.")
    return text


def _comment(given: object) -> str:
    if given is None:
        return ""
    if not isinstance(given, str):
        raise Unclear("invalid_comment", "A comment is text.")
    problem = unstorable(given, LONGEST_COMMENT)
    if problem is not None:
        raise Unclear("invalid_comment", f"The comment cannot be stored. {problem[1]}")
    return given.strip()
