"""Finding versions over all models by names, tags, scores, parameters and data."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Exists, F, JSONField, OuterRef, Q, QuerySet
from django.db.models.fields.json import KeyTransform
from django.utils.dateparse import parse_date, parse_datetime

from registry.errors import InvalidSearch, UnknownMetric
from registry.models import Alias, ModelVersion, RegisteredModel
from registry.models.deployment import CHAMPION
from registry.models.version import VersionStatus
from registry.search import AnyOf, Comparison, Expression, Not, SearchError, parse
from registry.services.listings import HEAVY_VERSION_COLUMNS

LOOKUPS = {"=": "exact", "<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}
NO_DAY = '{} is a day or a time, for example "2026-05-31".'
LARGEST = 1.7976931348623157e308


@dataclass(frozen=True)
class Searched:
    """A field of the language: where it is kept, and what it is compared with."""

    path: str
    reads: Callable[[Comparison, Any], Any]
    ordered: bool = False
    text: bool = False


def _text(comparison: Comparison, value: Any) -> str:
    if not isinstance(value, str) or "\x00" in value:
        raise InvalidSearch(f"{comparison.field} is a text: write it in quotes.")
    return value


def _whole(comparison: Comparison, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, float) or value != int(value) or abs(value) >= 2**31:
        raise InvalidSearch(f"{comparison.field} is a whole number, for example 3.")
    return int(value)


def _moment(comparison: Comparison, value: Any) -> datetime:
    try:
        moment = parse_datetime(value) if isinstance(value, str) else None
        day = parse_date(value) if isinstance(value, str) and moment is None else None
        if day is not None:
            return datetime(day.year, day.month, day.day, tzinfo=UTC)
        if moment is not None:
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidSearch(NO_DAY.format(comparison.field)) from error
    raise InvalidSearch(NO_DAY.format(comparison.field))


FIELDS = {
    "model": Searched("model__name", _text, text=True),
    "problem": Searched("model__problem_type", _text, text=True),
    "version": Searched("number", _whole, ordered=True),
    "status": Searched("status", _text, text=True),
    "algorithm": Searched("algorithm", _text, text=True),
    "data": Searched("dataset__name", _text, text=True),
    "data_hash": Searched("dataset__content_hash", _text, text=True),
    "rows": Searched("dataset__rows", _whole, ordered=True),
    "created": Searched("created_at", _moment, ordered=True),
    "created_by": Searched("created_by", _text, text=True),
}
# Fields that hold named values, and how a value of that name is reached.
NAMED: dict[str, Callable[[str], KeyTransform]] = {
    "metrics": lambda key: _value_of(key, F("metrics")),
    "cv": lambda key: _value_of("mean", _value_of(key, F("cv_metrics"))),
    "params": lambda key: _value_of(key, F("params")),
    "tags": lambda key: _value_of(key, F("tags")),
    "model_tags": lambda key: _value_of(key, F("model__tags")),
}
KNOWN = ", ".join([*FIELDS, "champion", *(f"{name}.NAME" for name in NAMED)])


def _value_of(key: str, within: Any) -> KeyTransform:
    # Told its field, a lookup knows before it meets the query how to send what it compares with.
    return KeyTransform(key, within, output_field=JSONField())


def search_versions(text: str) -> QuerySet[ModelVersion]:
    """Return the versions that the search finds, newest first, without the large columns.

    Raises InvalidSearch. An empty search finds every version.
    """
    champion = Alias.objects.filter(version=OuterRef("pk"), name=CHAMPION)
    everything = ModelVersion.objects.select_related("model", "dataset").annotate(
        is_champion=Exists(champion)
    )
    listed = everything.defer(*HEAVY_VERSION_COLUMNS, "dataset__columns", "dataset__profile")
    if not text.strip():
        return listed
    try:
        tree = parse(text)
    except SearchError as error:
        raise InvalidSearch(str(error), fields={"q": [str(error)]}) from error
    return listed.filter(_condition(tree))


def best_version(model: RegisteredModel, metric: str = "") -> ModelVersion:
    """Return the ready version with the best hold-out value of the metric, the newest of equals.

    ``metric`` is the problem's primary one where it is left out. Raises UnknownMetric, also where no ready
    version has such a value.
    """
    problem = model.problem
    known = {one.name: one for one in problem.metrics}
    chosen = known.get(metric or problem.primary_metric)
    if chosen is None:
        choice = ", ".join(known)
        raise UnknownMetric(f"{problem.title} has no metric {metric[:50]!r}. Choose from: {choice}.")
    ready = ModelVersion.objects.filter(model=model, status=VersionStatus.READY).select_related("model")
    listed = ready.defer(*HEAVY_VERSION_COLUMNS).order_by("-number")
    scored = [one for one in listed if one.metrics.get(chosen.name) is not None]
    if not scored:
        raise UnknownMetric(f"No ready version of {model.name} has a value of {chosen.title}. Train one.")
    sign = 1 if chosen.higher_is_better else -1
    return max(scored, key=lambda one: sign * one.metrics[chosen.name])


def _condition(tree: Expression) -> Q:
    if isinstance(tree, Comparison):
        return _compared(tree)
    if isinstance(tree, Not):
        return _without(_condition(tree.part))
    whole = Q()
    for part in tree.parts:
        whole = whole | _condition(part) if isinstance(tree, AnyOf) else whole & _condition(part)
    return whole


def _without(condition: Q) -> Q:
    """What the condition does not find, versions that know no such value included."""
    return ~Q(pk__in=ModelVersion.objects.filter(condition).values("pk"))


def _compared(one: Comparison) -> Q:
    if one.operator == "!=":
        return _without(_compared(Comparison(one.field, one.key, "=", one.values)))
    if one.field == "champion" and not one.key:
        return _is_champion(one)
    if one.key and one.field in NAMED:
        return _named(one)
    if one.key or one.field not in FIELDS:
        shown = f"{one.field}.{one.key}" if one.key else one.field
        raise InvalidSearch(f"There is no field {shown[:60]!r} to search by. Choose from: {KNOWN}.")
    field = FIELDS[one.field]
    values = [field.reads(one, value) for value in one.values]
    if one.operator == "in":
        return Q(**{f"{field.path}__in": values})
    if one.operator == "~":
        _demand(field.text, one, "is no text: ~ looks for a part of a text.")
        return Q(**{f"{field.path}__icontains": values[0]})
    _demand(field.ordered or one.operator == "=", one, "is a text: compare it by =, !=, ~ or in.")
    return Q(**{f"{field.path}__{LOOKUPS[one.operator]}": values[0]})


def _is_champion(one: Comparison) -> Q:
    _demand(one.operator == "=" and isinstance(one.values[0], bool), one, "is true or false.")
    runs = Q(pk__in=Alias.objects.filter(name=CHAMPION).values("version"))
    return runs if one.values[0] else ~runs


def _named(one: Comparison) -> Q:
    value = NAMED[one.field](one.key)
    if "\x00" in one.key:
        raise InvalidSearch("A name holds a sign that no name can hold.")
    wanted = [int(each) if isinstance(each, float) and each.is_integer() else each for each in one.values]
    if any(isinstance(each, str) and "\x00" in each for each in wanted):
        raise InvalidSearch("A text holds a sign that no text can hold.")
    if one.operator == "in":
        return _holds(value, "in", wanted) | _also_algorithm(one)
    if one.operator == "~":
        _demand(isinstance(wanted[0], str), one, "is compared by ~ with a text in quotes.")
        return _holds(value, "icontains", wanted[0]) | _also_algorithm(one)
    found = _holds(value, LOOKUPS[one.operator], wanted[0])
    if one.operator == "=":
        return found | _also_algorithm(one)
    number = isinstance(wanted[0], int | float) and not isinstance(wanted[0], bool)
    _demand(number, one, f"is compared by {one.operator} with a number.")
    # PostgreSQL sorts texts before all numbers and truth values behind them: those are no answers.
    end = ("lte", LARGEST) if ">" in one.operator else ("gte", -LARGEST)
    return found & _holds(value, *end)


def _also_algorithm(one: Comparison) -> Q:
    """Return the search by algorithm: people look for it among the parameters, too."""
    texts = all(isinstance(each, str) for each in one.values)
    if (one.field, one.key) != ("params", "algorithm") or not texts:
        return Q()
    return _compared(Comparison("algorithm", "", one.operator, one.values))


def _holds(value: KeyTransform, lookup: str, wanted: Any) -> Q:
    made: Any = value.get_lookup(lookup)  # as an expression: a name in a path could be taken for a lookup
    return Q(made(value, wanted))


def _demand(holds: bool, one: Comparison, sentence: str) -> None:
    if not holds:
        raise InvalidSearch(f"{one.field}{'.' + one.key if one.key else ''} {sentence}")
