"""What retention knows of: the registry of kinds, to which each app adds its own.

A kind says in words what it is, how long the installation keeps it, what would go by a rule, and how it goes.
For rows that are simply too old ``aged_rows`` makes one, in one line; see docs/extending.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Q

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import TenantModel
from mlplatform.tenancy.pacing import break_after
from mlplatform.tenancy.scope import current_tenant, tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.usage import give_back
from registry.models import RegisteredModel

AT_ONCE = 500  # rows deleted in one transaction
WATCHED_DAYS = 7  # of the log are looked at by the checks of monitoring: nothing of them goes
SHOWN = 50


@dataclass(frozen=True)
class Rule:
    """How long a kind is kept: ``days`` (None: for ever), and the ``newest`` so many in any case."""

    days: int | None
    newest: int | None = None

    def before(self, now: datetime) -> datetime:
        """Return the moment before which things are too old; call it only where ``days`` is a number."""
        return now - timedelta(days=self.days or 0)


@dataclass(frozen=True)
class Item:
    """One thing that would go, or stays although it is old: its key and name, its bytes, and why."""

    key: int | None
    name: str
    bytes: int
    why: str


@dataclass(frozen=True)
class Survey:
    """What would go by a rule, and what stays although it is old; the lists name the first ones only."""

    going: int = 0
    bytes: int = 0
    items: Sequence[Item] = ()
    kept: Sequence[Item] = ()


@dataclass(frozen=True)
class Gone:
    """What went: how many, and how many bytes were given back."""

    count: int = 0
    bytes: int = 0


Scope = RegisteredModel | None


@dataclass(frozen=True)
class Kind:
    """A kind of things that are kept for a time.

    ``usual`` is the installation's rule, read when it is asked for. ``of_models`` says that each model may
    have a rule of its own; then both functions are called for each model, else once, with None.
    ``least_days`` is the shortest time that may be chosen. ``survey`` changes nothing; ``remove`` looks again
    under its locks.
    """

    name: str
    title: str
    purpose: str
    usual: Callable[[], Rule]
    survey: Callable[[Scope, Rule, datetime], Survey]
    remove: Callable[[Scope, Rule, datetime, Actor], Gone]
    of_models: bool = True
    counted: bool = False
    least_days: int = 1


@dataclass
class Kinds:
    """The kinds by name, in the order in which they are gone through."""

    _kinds: dict[str, Kind] = field(default_factory=dict)

    def add(self, kind: Kind) -> None:
        """Register a kind; adding it again, as an app that is loaded twice does, changes nothing."""
        self._kinds[kind.name] = kind

    def all(self) -> list[Kind]:
        """Return every kind."""
        return list(self._kinds.values())

    def named(self, name: str) -> Kind | None:
        """Return the kind of this name, or None."""
        return self._kinds.get(name)


KINDS = Kinds()


def aged_rows(
    *,
    name: str,
    title: str,
    purpose: str,
    table: type[TenantModel],
    moment: str,
    usual: Callable[[], Rule],
    only: Q | None = None,
    model_field: str | None = "model",
    least_days: int = 1,
) -> Kind:
    """Return a kind of rows that are deleted, with what hangs on them, once ``moment`` is too long ago.

    ``only`` are those that may go; ``model_field`` leads to their model, None where they belong to none. Rows
    that count as ``stored_rows`` give that room back.
    """

    def old(model: Scope, rule: Rule, now: datetime) -> "models.QuerySet[Any]":
        rows = table.objects.filter(only or Q(), **{f"{moment}__lt": rule.before(now)})
        return rows.filter(**{model_field: model}) if model_field and model else rows

    def survey(model: Scope, rule: Rule, now: datetime) -> Survey:
        with tenant_transaction():
            return Survey(going=old(model, rule, now).order_by().count())

    def remove(model: Scope, rule: Rule, now: datetime, by: Actor) -> Gone:
        gone, told = 0, False
        while True:
            with break_after(), tenant_transaction():
                keys = list(
                    old(model, rule, now)
                    .order_by("pk")
                    .select_for_update()
                    .values_list("pk", flat=True)[:AT_ONCE]
                )
                if not keys:
                    return Gone(gone)
                if not told:  # first, so that nothing goes without a word
                    told = True
                    _tell(name, model, rule, now, old(model, rule, now).order_by().count(), by)
                _, counted = table.objects.filter(pk__in=keys).delete()
                give_back(stored_rows=_stored_rows(counted))
                gone += counted.get(table._meta.label, 0)

    return Kind(
        name=name,
        title=title,
        purpose=purpose,
        usual=usual,
        survey=survey,
        remove=remove,
        of_models=model_field is not None,
        least_days=least_days,
    )


def _stored_rows(deleted: Mapping[str, int]) -> int:
    """How many of the deleted rows, by table, counted as stored; what hung on a row went with it."""
    return sum(
        count
        for label, count in deleted.items()
        if "stored_rows" in getattr(apps.get_model(label), "uses", {})
    )


def _tell(kind: str, model: Scope, rule: Rule, now: datetime, rows: int, by: Actor) -> None:
    record(
        by=by,
        action="retention.removed",
        target=model or current_tenant(),
        kind=kind,
        days=rule.days,
        older_than=rule.before(now).isoformat(),
        rows=rows,
    )
