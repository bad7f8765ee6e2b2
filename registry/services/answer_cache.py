"""Answers that were given before: for models that choose it, an equal row is not asked again for a while.

What is kept is known by the version and a hash of the exact row, never by the row itself. The memory of a
process is bounded, its oldest answers go first, and with a model's champion all that it kept goes.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from django.conf import settings

from mlplatform.machine import MEGABYTE
from registry.inference.answers import RowAnswer
from registry.inference.engines import Engine
from registry.inference.plan import Asked, Plan
from registry.models import ModelVersion, RegisteredModel

OVERHEAD = 400  # bytes that an answer takes beside its own content
Row = Mapping[str, Any]
Key = tuple[int, int, bytes]  # version, how often the model's champion changed, hash of the row


class _Kept(msgspec.Struct, array_like=True, frozen=True):
    """An answer as it is kept: as bytes, so that its size is known and nobody can change it."""

    label: str | None
    value: float | None
    probabilities: dict[str, float] | None
    engine: Engine


_decoder = msgspec.json.Decoder(_Kept)


class AnswerCache:
    """The answers given last; safe to share between threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, tuple[float, bytes]] = OrderedDict()
        self._bytes = 0
        self._champions: dict[int, tuple[int, int]] = {}  # by model: the champion, how often it changed
        self._lock = threading.Lock()

    def champion_is(self, version: ModelVersion) -> None:
        """Take notice of which version is its model's champion; where it changed, nothing kept counts."""
        with self._lock:
            champion, changes = self._champions.get(version.model_id, (version.pk, 0))
            changed = champion != version.pk
            self._champions[version.model_id] = version.pk, changes + changed

    def ask(self, plan: Plan, version: ModelVersion, rows: Sequence[Row], seconds: int) -> Asked:
        """Return what was answered in the last ``seconds`` for equal rows; ask and keep the others.

        Raises CannotPredict.
        """
        keys = [self._key(version, row) for row in rows]
        known = self._find(keys, time.monotonic() - seconds)
        new = [position for position in range(len(rows)) if position not in known]
        asked = plan.ask([rows[position] for position in new]) if new else None
        answers = {place: RowAnswer(one.label, one.value, one.probabilities) for place, one in known.items()}
        if asked is not None:
            answers |= dict(zip(new, asked.answers, strict=True))
            self._keep([(keys[position], answers[position]) for position in new], asked.engine)
        engine = next(iter(known.values())).engine if asked is None else asked.engine
        remembered = {position: one.engine for position, one in known.items()}
        return Asked([answers[position] for position in range(len(rows))], engine, remembered)

    def forget(self) -> None:
        """Keep nothing, as a process does that has just started."""
        with self._lock:
            self._kept.clear()
            self._champions.clear()
            self._bytes = 0

    def _key(self, version: ModelVersion, row: Row) -> Key:
        content = msgspec.json.encode(row, order="sorted")
        _, changes = self._champions.get(version.model_id, (0, 0))
        return version.pk, changes, hashlib.sha256(content).digest()

    def _find(self, keys: Sequence[Key], since: float) -> dict[int, _Kept]:
        found: dict[int, bytes] = {}
        with self._lock:
            for position, key in enumerate(keys):
                kept_at, content = self._kept.get(key, (since, b""))
                if kept_at > since:
                    found[position] = content
        return {position: _decoder.decode(content) for position, content in found.items()}

    def _keep(self, answers: Iterable[tuple[Key, RowAnswer]], engine: Engine) -> None:
        now, most = time.monotonic(), settings.ANSWER_CACHE_MB * MEGABYTE
        contents = [
            (key, msgspec.json.encode(_Kept(one.label, one.value, one.probabilities, engine)))
            for key, one in answers
        ]
        with self._lock:
            for key, content in contents:
                self._let_go(key)
                self._kept[key] = now, content
                self._bytes += len(content) + OVERHEAD
            while self._bytes > most:
                self._let_go(next(iter(self._kept)))

    def _let_go(self, key: Key) -> None:
        known = self._kept.pop(key, None)
        if known is not None:
            self._bytes -= len(known[1]) + OVERHEAD


ANSWERS = AnswerCache()


def ask_model(model: RegisteredModel, version: ModelVersion, plan: Plan, rows: Sequence[Row]) -> Asked:
    """Answer checked rows by the version, from memory where its model keeps answers; raises CannotPredict."""
    if not model.cache_answers:
        return plan.ask(rows)
    return ANSWERS.ask(plan, version, rows, model.cache_seconds)
