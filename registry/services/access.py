"""What a key needs known to have one model answer: remembered for a moment, never for long.

Who asks, for which tenant, with which rights and limits, which version answers and with what: read from the
database together and kept by the credentials and the model for ``SERVING_MEMORY_SECONDS``. After half of that
the next request reads it again while the others still use what is known; nothing older is ever used. So a
revoked key, a changed right and a promotion hold in every process within that time.

A version that a promotion put in place is loaded beside the requests: the one before answers until then.
"""

import hashlib
import logging
import threading
import time
from collections import OrderedDict
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import cached_property

from django.conf import settings
from django.db import connection

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.authentication import InvalidApiKey, authenticate_key, key_in_credentials
from mlplatform.tenancy.counters import Allowance
from mlplatform.tenancy.models import ApiKey, Tenant
from mlplatform.tenancy.permissions import Capability, can, hold_rights
from mlplatform.tenancy.scope import Sight, tenant_scope, tenant_transaction
from mlplatform.tenancy.services.requests import allowances_of
from registry.errors import ArtifactCorrupt, ModelNotFound, NoChampion, VersionNotFound, VersionNotReady
from registry.inference.decoding import RowDecoder
from registry.inference.plan import Plan
from registry.models import ModelVersion, RegisteredModel
from registry.privacy.treatment import Treater
from registry.services.loading import is_loaded
from registry.services.models import find_model
from registry.services.personal import model_marks
from registry.services.plans import answering_version, plan_for
from registry.services.pseudonyms import pseudonym_key, treater

logger = logging.getLogger(__name__)
MOST_REMEMBERED = 2_000
UNUSABLE = (ArtifactCorrupt, ModelNotFound, NoChampion, VersionNotFound, VersionNotReady)


@dataclass(frozen=True)
class Way:
    """How one version answers: its plan and the decoder of its rows."""

    version: ModelVersion
    plan: Plan
    decoder: RowDecoder


@dataclass(frozen=True)
class Access:
    """One key's way to one model, as it was ``read_at`` (of the monotonic clock)."""

    read_at: float
    key: ApiKey
    tenant: Tenant
    sight: Sight
    actor: Actor
    allowances: tuple[Allowance, ...]
    model: RegisteredModel
    way: Way
    treat: Treater

    @cached_property
    def pseudonym_key(self) -> bytes:
        """The key of the tenant's pseudonyms, fetched when it is first needed."""
        return pseudonym_key()


Name = tuple[bytes, str, int | None]


class _Slot:
    """The memory of one name, with the lock of whoever reads it anew."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.access: Access | None = None


class AccessMemory:
    """The accesses used last, by credentials, model and version asked for."""

    def __init__(self) -> None:
        self._slots: OrderedDict[Name, _Slot] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, credentials: str, name: str, number: int | None = None) -> Access | None:
        """Return the way to the model for the value of ``Authorization``, or None where there is none.

        What is wrong, the long way has to say.
        """
        known_by = (hashlib.sha256(credentials.encode()).digest(), name, number)
        slot, asked, longest = self._slot(known_by), time.monotonic(), settings.SERVING_MEMORY_SECONDS
        known = slot.access
        age = asked - known.read_at if known else longest
        if known is not None and age < longest / 2:
            return known
        # One reads; the others need not wait as long as what they know may still be used.
        if not slot.lock.acquire(blocking=age >= longest):
            return known
        try:
            if slot.access is None or slot.access.read_at < asked:
                slot.access = _read(credentials, name, number, known if longest else None)
            if slot.access is None:  # wrong keys must not push out what is known of right ones
                self._drop(known_by)
            return slot.access
        finally:
            slot.lock.release()

    def forget(self) -> None:
        """Know nothing, as a process does that has just started."""
        with self._lock:
            self._slots.clear()

    def _drop(self, known_by: Name) -> None:
        with self._lock:
            self._slots.pop(known_by, None)

    def _slot(self, known_by: Name) -> _Slot:
        with self._lock:
            slot = self._slots.get(known_by)
            if slot is None:
                slot = self._slots[known_by] = _Slot()
                while len(self._slots) > MOST_REMEMBERED:
                    self._slots.popitem(last=False)
            else:
                self._slots.move_to_end(known_by)
            return slot


MEMORY = AccessMemory()


def _read(credentials: str, name: str, number: int | None, known: Access | None) -> Access | None:
    read_at = time.monotonic()
    try:
        key = authenticate_key(key_in_credentials(credentials) or "")
    except InvalidApiKey:
        return None
    with tenant_scope(key.tenant):
        sight = hold_rights(key).sight
    with tenant_scope(key.tenant, sight):
        try:
            with tenant_transaction():
                model = find_model(name)
                if not can(key, Capability.PREDICT, model):
                    return None
                version = answering_version(model, number)
                treat = treater(model_marks(model))
            way = _way(version, known.way if known else None)
        except UNUSABLE:
            return None
        allowances = tuple(allowances_of(key))
        actor = Actor.of(key)
        return Access(read_at, key, key.tenant, sight, actor, allowances, model, way, treat)


def _way(version: ModelVersion, known: Way | None) -> Way:
    """Return how the version answers, or still the one before it while it is being loaded."""
    if known is not None and _same(known.version, version):
        return replace(known, version=version)
    if known is not None and known.version.model_id == version.model_id and not is_loaded(version):
        _warm(version)
        return known
    plan = plan_for(version)
    return Way(version, plan, RowDecoder(plan.columns))


def _same(one: ModelVersion, other: ModelVersion) -> bool:
    return (
        one.pk == other.pk
        and one.artifact_hash == other.artifact_hash
        and one.artifact_signature == other.artifact_signature
        and one.twin_hash == other.twin_hash
        and one.features == other.features
    )


_warming: set[int] = set()
_warming_lock = threading.Lock()


def _warm(version: ModelVersion) -> None:
    """Load the version in a thread of its own, once, in the active tenant's scope."""
    with _warming_lock:
        if version.pk in _warming:
            return
        _warming.add(version.pk)
    context = copy_context()
    threading.Thread(
        target=context.run, args=(_load, version), name=f"warm {version.pk}", daemon=True
    ).start()


def _load(version: ModelVersion) -> None:
    try:
        plan_for(version)
    except ArtifactCorrupt as error:
        # The usual way tells the clients and the trail; here the version before goes on.
        logger.error(
            "%s cannot be loaded, the version before it goes on answering: %s", version, error.detail
        )
    finally:
        with _warming_lock:
            _warming.discard(version.pk)
        connection.close()
