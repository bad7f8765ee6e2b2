"""Doing what a request asks once, however often it is sent under one ``Idempotency-Key``.

As ``repeats`` does for answers: what came of it is kept in the transaction that does it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from django.db import IntegrityError

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from registry.models import RegisteredModel
from registry.services.repeats import Once, keep_answer, kept_answer, name_of


@dataclass(frozen=True)
class Done:
    """What came of it, as it is told, and whether that was told before."""

    told: dict[str, Any]
    repeated: bool = False


def done_once(
    *, once: Once | None, by: Actor, do: Callable[[], dict[str, Any]], model: RegisteredModel | None = None
) -> Done:
    """Return what came of ``do``, or of the same request before; without ``once`` it is simply done.

    What is kept names no case, so it outlives nobody's erasure. Raises what ``do`` raises, which undoes it,
    and KeyReused where the key was used for another request.
    """
    if once is None:
        return Done(do())
    name = name_of(once, by)
    kept = kept_answer(name, once)
    if kept is None:
        try:
            with tenant_transaction():
                told = do()
                keep_answer(name, once, model, msgspec.json.encode(_unnamed(told)))
            return Done(told)
        except IntegrityError:  # the same request was under way, and is done now
            kept = kept_answer(name, once)
            if kept is None:
                raise
    return Done(msgspec.json.decode(kept.answer), repeated=True)


def _unnamed(told: dict[str, Any]) -> dict[str, Any]:
    """Return the same without the client's own names of cases, which the places of the lines tell as well."""
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(told))
    for one in (*plain.get("errors", ()), *plain.get("waiting", ())):
        if str(one.get("prediction_id", "")).startswith("entity_key "):
            one["prediction_id"] = "entity_key"
    return plain
