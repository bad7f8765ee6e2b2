"""Understanding reported outcomes: which prediction is meant, when it happened, and what the value says."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any, NamedTuple

from feedback.services.matching import (
    Case,
    locked_predictions,
    models_named,
    predictions_of_cases,
    pseudonyms_of,
)
from feedback.services.opinions import opinion_in
from feedback.services.reported import (
    Asked,
    Opinion,
    Origin,
    OutcomeItem,
    Report,
    Unclear,
    outcome_error,
)
from registry.inference.values import unstorable
from registry.models import ModelVersion, RegisteredModel
from registry.problems import InvalidOutcome
from registry.services.row_checks import MAX_KEY_LENGTH

CLOCKS_DIFFER = timedelta(minutes=5)  # by so much a client's clock may be ahead of ours
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
UNKNOWN = "There is no such prediction."
UNKNOWN_CASE = "No prediction of this model about this case was made in the time before the outcome."
Told = tuple[str, float | None]


class Named(NamedTuple):
    """What an item is about, before it is known whether there is such a prediction."""

    place: int
    item: OutcomeItem
    observed_at: datetime | None
    key: uuid.UUID | None
    case: Case | None
    model: RegisteredModel | None


@dataclass
class Understood:
    """What the items say: outcomes and opinions, and the models that they are for.

    ``unknown`` are those whose prediction there is not, in which nothing else is wrong; ``errors`` has one
    for each item that is.
    """

    reports: list[Report] = field(default_factory=list)
    opinions: list[Opinion] = field(default_factory=list)
    unknown: list[Named] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    models: dict[int, RegisteredModel] = field(default_factory=dict)

    def refuse(self, index: int, item: OutcomeItem, code: str, message: str) -> None:
        """Note what is wrong with an item."""
        self.errors.append(outcome_error(index, item.about, code, message))

    def refuse_unknown(self) -> None:
        """Refuse the items whose prediction there is not."""
        for one in self.unknown:
            self.refuse(one.place, one.item, "unknown_prediction", UNKNOWN if one.key else UNKNOWN_CASE)
        self.unknown = []
        self.errors.sort(key=itemgetter("index"))


def understand(items: Sequence[OutcomeItem], origins: Sequence[Origin]) -> Understood:
    """Return what the items say, each with where it comes from.

    The rows of the predictions are locked until the transaction ends.
    """
    found = Understood()
    named = _named(items, origins, found)
    of_cases = predictions_of_cases(one.case for one in named if one.case is not None)
    keys = [one.key if one.case is None else of_cases.get(one.case) for one in named]
    predictions = locked_predictions(key for key in keys if key is not None)
    reading = _Reading(found, origins, _versions({one.version_id for one in predictions.values()}))
    for one, key in zip(named, keys, strict=True):
        asked = predictions.get(key) if key else None
        if asked is None:
            found.unknown.append(one)
        else:
            reading.read(one, asked)
    found.errors.sort(key=itemgetter("index"))
    return found


class _Reading:
    """Turns items whose prediction is known into reports; each value is understood once for a version."""

    def __init__(
        self, found: Understood, origins: Sequence[Origin], versions: dict[int, ModelVersion]
    ) -> None:
        self._found, self._origins, self._versions = found, origins, versions
        self._told: dict[tuple[int, type, object], Told] = {}
        self._said: dict[tuple[uuid.UUID, datetime | None, datetime], Told] = {}

    def read(self, one: Named, asked: Asked) -> None:
        index, item, version = one.place, one.item, self._versions[asked.version_id]
        if one.model is not None and one.model.pk != version.model_id:
            self._found.refuse(index, item, "other_model", "The prediction is of another model.")
            return
        origin = self._origins[index]
        try:
            opinion = self._opinion(one, asked, version, origin) if item.rating or item.comment else None
            if opinion is None or item.tells_outcome:
                told = self._verdict(version, item.value)
                self._hear(asked, one, origin, told)
                report = Report(asked, version.model_id, *told, one.observed_at, origin, index)
                self._found.reports.append(report)
        except (InvalidOutcome, Unclear) as error:
            self._found.refuse(index, item, error.code, str(error))
            return
        if opinion is not None:
            self._found.opinions.append(opinion)
        self._found.models[version.model_id] = version.model

    def _hear(self, asked: Asked, one: Named, origin: Origin, told: Told) -> None:
        if self._said.setdefault((asked.id, one.observed_at, origin.received_at), told) != told:
            message = "The report holds another value for this prediction and time. Send one of them."
            raise Unclear("contradiction", message)

    def _opinion(self, one: Named, asked: Asked, version: ModelVersion, origin: Origin) -> Opinion:
        rating, comment = opinion_in(one.item)
        return Opinion(asked, version.model_id, rating, comment, origin, one.place)

    def _verdict(self, version: ModelVersion, value: object) -> Told:
        if not isinstance(value, str | int | float):  # what cannot be a key of the memory, and is no outcome
            return _parsed(version, value)
        known = (version.pk, type(value), value)
        if known not in self._told:
            self._told[known] = _parsed(version, value)
        return self._told[known]


def _named(items: Sequence[OutcomeItem], origins: Sequence[Origin], found: Understood) -> list[Named]:
    models = models_named(item.model for item in items)
    entities = pseudonyms_of(item.entity_key for item in items if _usable(item.entity_key))
    named = []
    for index, item in enumerate(items):
        try:
            received_at = origins[index].received_at
            observed = moment_of(item.observed_at, received_at)
            model = _model(item, models)
            key = _as_uuid(item) if item.prediction_id else None
            case = None if key else _case(item, model, entities, observed or received_at)
            named.append(Named(index, item, observed, key, case, model))
        except Unclear as error:
            found.refuse(index, item, error.code, str(error))
    return named


def _as_uuid(item: OutcomeItem) -> uuid.UUID:
    if item.entity_key:
        raise Unclear("two_names", "Name the prediction's id or the entity key, not both.")
    if isinstance(item.prediction_id, uuid.UUID):
        return item.prediction_id
    try:
        return uuid.UUID(item.prediction_id)
    except (ValueError, AttributeError, TypeError) as error:
        raise Unclear("unknown_prediction", UNKNOWN) from error


def _case(
    item: OutcomeItem, model: RegisteredModel | None, entities: dict[str, str], moment: datetime
) -> Case:
    if not item.entity_key:
        raise Unclear("unknown_prediction", UNKNOWN)
    if item.entity_key not in entities:
        problem = unstorable(item.entity_key, MAX_KEY_LENGTH) or ("blank", "Must not be blank.")
        raise Unclear("invalid_entity_key", f"The entity key cannot be used. {problem[1]}")
    if model is None:
        raise Unclear("model_missing", "An entity key needs the name of the model that was asked.")
    return Case(model.pk, entities[item.entity_key], moment)


def _usable(key: str) -> bool:
    return bool(key) and bool(key.strip()) and unstorable(key, MAX_KEY_LENGTH) is None


def _model(item: OutcomeItem, models: dict[str, RegisteredModel]) -> RegisteredModel | None:
    if not item.model:
        return None
    if item.model not in models:
        raise Unclear("unknown_model", f"There is no model {item.model[:80]!r}.")
    return models[item.model]


def moment_of(given: datetime | str | None, now: datetime) -> datetime | None:
    """Return the moment in UTC, None where nothing is given; raises Unclear for what cannot have been."""
    if given is None or given == "":
        return None
    try:
        moment = given if isinstance(given, datetime) else datetime.fromisoformat(given)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, OverflowError) as error:
        raise Unclear(
            "invalid_time", "observed_at is no time. Write it like 2026-03-01T09:30:00+01:00."
        ) from error
    if not EARLIEST < moment <= now + CLOCKS_DIFFER:
        told = "in the future" if moment > now else "before 1900"
        raise Unclear("invalid_time", f"observed_at is {told}. Send when it happened.")
    return moment


def _versions(keys: set[int]) -> dict[int, ModelVersion]:
    return ModelVersion.objects.select_related("model").only("classes", "model").in_bulk(keys)


def _parsed(version: ModelVersion, value: object) -> Told:
    parsed = version.model.problem.parse_outcome(value, version.classes)
    return (parsed, None) if isinstance(parsed, str) else ("", parsed)
