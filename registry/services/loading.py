"""Loading pipelines: verified first, then kept in memory by content."""

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from mlplatform.sealing.errors import SealBroken
from mlplatform.tenancy.scope import current_tenant_id
from registry.artifacts.formats import load
from registry.artifacts.signing import Seal, verify
from registry.errors import ArtifactCorrupt
from registry.inference.plan import Calls, new_calls
from registry.inference.walking import Walker
from registry.models import ModelVersion
from registry.services.damage import SIGNED_FILES, note_refusal, refusal_of
from registry.storage import read_bytes

# What a loaded pipeline takes of memory for each byte of its file, which is compressed; an estimate.
UNPACKED = 4
MEGABYTE = 1_000_000
CacheKey = tuple[int, str, str]


@dataclass
class Loaded:
    """A version's pipeline in memory, and what all who ask it share."""

    pipeline: Any
    calls: Calls = field(default_factory=new_calls)
    walker: Walker | None = None


class PipelineCache:
    """The pipelines and twins used last, by owner and seal; safe to share between threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[CacheKey, tuple[Any, int]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: CacheKey) -> Any | None:
        """Return the pipeline where it is in memory."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def put(self, key: CacheKey, pipeline: Any, *, size: int) -> None:
        """Keep the pipeline, of so many bytes, and let go of those unused longest.

        At most ``MODEL_CACHE_SIZE`` of them and ``MODEL_CACHE_MB`` stay, but always the newest: a version
        that is larger than the whole memory still answers.
        """
        most = settings.MODEL_CACHE_MB * MEGABYTE
        with self._lock:
            self._let_go(key)
            self._kept[key] = pipeline, size
            self._bytes += size
            while len(self._kept) > 1 and (len(self._kept) > settings.MODEL_CACHE_SIZE or self._bytes > most):
                self._let_go(next(iter(self._kept)))

    def clear(self) -> None:
        """Forget every pipeline."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    def _let_go(self, key: CacheKey) -> None:
        _, size = self._kept.pop(key, (None, 0))
        self._bytes -= size


CACHE = PipelineCache()


def owner_label(tenant_id: int) -> str:
    """Return what is bound into a tenant's seals."""
    return f"tenant:{tenant_id}"


def is_loaded(version: ModelVersion) -> bool:
    """Tell whether this process holds the version's pipeline."""
    return CACHE.get(_cache_key(version)) is not None


def load_pipeline(version: ModelVersion) -> Any:
    """Return the version's pipeline, from memory where this process holds it; raises ArtifactCorrupt."""
    return loaded(version).pipeline


def loaded(version: ModelVersion) -> Loaded:
    """Return the version's pipeline with what its requests share.

    A file that was refused a moment ago is not read again yet. Raises ArtifactCorrupt.
    """
    key = _cache_key(version)
    known = CACHE.get(key)
    if known is None:
        refused = refusal_of(version)
        if refused is not None:
            raise ArtifactCorrupt(refused.detail)
        try:
            known = Loaded(load_fresh(version))
        except ArtifactCorrupt as error:
            note_refusal(version, error)
            raise
        CACHE.put(key, known, size=UNPACKED * version.artifact_bytes)
    return known


def _cache_key(version: ModelVersion) -> CacheKey:
    return current_tenant_id(), version.artifact_hash, version.artifact_signature


def load_fresh(version: ModelVersion) -> Any:
    """Return the pipeline as stored now, whatever is in memory; raises ArtifactCorrupt."""
    return load(verified_bytes(version))


def verified_bytes(version: ModelVersion, kind: str = "artifact") -> bytes:
    """Return the bytes of the version's artefact, or of its twin, after hash and signature were checked.

    Raises ArtifactCorrupt.
    """
    path = getattr(version, f"{kind}_file")
    if not path:
        raise ArtifactCorrupt(f"The {SIGNED_FILES[kind]} of {version} is kept no more. Train it again.")
    try:
        data = read_bytes(path)
    except OSError as error:
        fate = "is missing" if isinstance(error, FileNotFoundError) else "cannot be read"
        raise ArtifactCorrupt(
            f"The {SIGNED_FILES[kind]} of {version} {fate}. Restore it from a backup or train it again."
        ) from error
    except SealBroken as error:
        raise ArtifactCorrupt(
            f"The {SIGNED_FILES[kind]} of {version} does not open. {error.detail}"
        ) from error
    return checked(data, Seal(getattr(version, f"{kind}_hash"), getattr(version, f"{kind}_signature")))


def checked(data: bytes, expected: Seal) -> bytes:
    """Return the artefact's bytes where this installation signed them for the active tenant.

    Raises ArtifactCorrupt.
    """
    keys = [settings.ARTIFACT_KEY, *settings.ARTIFACT_KEY_FALLBACKS]
    verify(data, expected, keys=keys, owner=owner_label(current_tenant_id()))
    return data
