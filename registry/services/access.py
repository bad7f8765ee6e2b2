"""What a key needs known to have one model answer: remembered for a moment, never for long.

Who asks, for which tenant, with which rights and limits, which version answers and with what: read from the
database together and kept by the credentials and the model for ``SERVING_MEMORY_SECONDS``. After half of that
the next request reads it again while the others still use what is known; nothing older is ever used. So a
revoked key, a changed right and a promotion hold in every process within that time.

A version that a promotion put in place is loaded beside the requests: the one before answers until then.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import cached_property

from django.conf import settings

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
from registry.models import ModelVersion, RegisteredModel, Rollout
from registry.privacy.treatment import Treater
from registry.services.damage import refusal_of
from registry.services.forks import Fork, running_rollout
from registry.services.loading import is_loaded
from registry.services.models import find_model
from registry.services.personal import model_marks
from registry.services.plans import answering_version, plan_for
from registry.services.pseudonyms import pseudonym_key, treater
from registry.services.shadows import shadow_versions
from registry.services.standing_in import Answering, answering_for
from registry.services.warming import warm

MOST_REMEMBERED = 2_000
UNUSABLE = (ArtifactCorrupt, ModelNotFound, NoChampion, VersionNotFound, VersionNotReady)


@dataclass(frozen=True)
class Way:
    """How one version answers: its plan and the decoder of its rows."""

    version: ModelVersion
    plan: Plan
    decoder: RowDecoder
    instead_of: int | None = None  # the version that should answer, where its file is damaged


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
    fork: Fork | None = None
    shadows: tuple[ModelVersion, ...] = ()

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
                rollout = running_rollout(model, version) if number is None else None
                treat = treater(model_marks(model))
                shadows = shadow_versions(model)
            way = _way(version, known.way if known else None, stand_in=number is None)
            fork = _fork(rollout, way, known)
        except UNUSABLE:
            return None
        allowances = tuple(allowances_of(key))
        actor = Actor.of(key)
        return Access(read_at, key, key.tenant, sight, actor, allowances, model, way, treat, fork, shadows)


def _fork(rollout: Rollout | None, way: Way, known: Access | None) -> Fork | None:
    """Return the rollout's fork; None as well while its challenger is being loaded beside the requests."""
    if rollout is None or way.version.pk != rollout.champion_id:
        return None
    before = known.fork if known else None
    if before is not None and _same(before.version, rollout.challenger):
        return Fork(rollout.pk, rollout.route, rollout.challenger, before.plan)
    if known is not None and not is_loaded(rollout.challenger):
        warm(rollout.challenger)
        return None
    return Fork(rollout.pk, rollout.route, rollout.challenger, plan_for(rollout.challenger))


def _way(version: ModelVersion, known: Way | None, *, stand_in: bool) -> Way:
    """Return how the version answers, or still the one before it while it is being loaded or is damaged."""
    if known is not None and _same(known.version, version):
        return replace(known, version=version, instead_of=None)
    if known is not None and known.version.model_id == version.model_id and not is_loaded(version):
        if refusal_of(version) is not None:
            return replace(known, instead_of=version.number)
        warm(version)
        return known
    found = answering_for(version) if stand_in else Answering(version, plan_for(version))
    return Way(found.version, found.plan, RowDecoder(found.plan.columns), found.instead_of)


def _same(one: ModelVersion, other: ModelVersion) -> bool:
    return (
        one.pk == other.pk
        and one.artifact_hash == other.artifact_hash
        and one.artifact_signature == other.artifact_signature
        and one.twin_hash == other.twin_hash
        and one.features == other.features
    )
