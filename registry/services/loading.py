"""Loading pipelines: verified first, then kept in memory by content."""

import threading
from collections import OrderedDict
from typing import Any

from django.conf import settings

from mlplatform.sealing.errors import SealBroken
from mlplatform.tenancy.scope import current_tenant_id
from registry.artifacts.formats import load
from registry.artifacts.signing import Seal, verify
from registry.errors import ArtifactCorrupt
from registry.models import ModelVersion
from registry.storage import read_bytes

# A version's files that are signed: what their columns begin with, and what people call them.
SIGNED_FILES = {"artifact": "artefact", "twin": "twin"}
CacheKey = tuple[int, str, str]


class PipelineCache:
    """The pipelines used last, by owner and seal; safe to share between threads."""

    def __init__(self) -> None:
        self._pipelines: OrderedDict[CacheKey, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: CacheKey) -> Any | None:
        """Return the pipeline where it is in memory."""
        with self._lock:
            if key not in self._pipelines:
                return None
            self._pipelines.move_to_end(key)
            return self._pipelines[key]

    def put(self, key: CacheKey, pipeline: Any, *, limit: int) -> None:
        """Keep the pipeline, and let go of those unused longest beyond ``limit``."""
        with self._lock:
            self._pipelines[key] = pipeline
            self._pipelines.move_to_end(key)
            while len(self._pipelines) > limit:
                self._pipelines.popitem(last=False)

    def clear(self) -> None:
        """Forget every pipeline."""
        with self._lock:
            self._pipelines.clear()


CACHE = PipelineCache()


def owner_label(tenant_id: int) -> str:
    """Return what is bound into a tenant's seals."""
    return f"tenant:{tenant_id}"


def is_loaded(version: ModelVersion) -> bool:
    """Tell whether this process holds the version's pipeline."""
    return CACHE.get(_cache_key(version)) is not None


def load_pipeline(version: ModelVersion) -> Any:
    """Return the version's pipeline, from memory where this process holds it; raises ArtifactCorrupt."""
    key = _cache_key(version)
    pipeline = CACHE.get(key)
    if pipeline is None:
        pipeline = load_fresh(version)
        CACHE.put(key, pipeline, limit=settings.MODEL_CACHE_SIZE)
    return pipeline


def _cache_key(version: ModelVersion) -> CacheKey:
    return current_tenant_id(), version.artifact_hash, version.artifact_signature


def load_fresh(version: ModelVersion) -> Any:
    """Return the pipeline as stored now, whatever is in memory; raises ArtifactCorrupt."""
    return load(verified_bytes(version))


def verified_bytes(version: ModelVersion, kind: str = "artifact") -> bytes:
    """Return the bytes of the version's artefact, or of its twin, after hash and signature were checked.

    Raises ArtifactCorrupt.
    """
    try:
        data = read_bytes(getattr(version, f"{kind}_file"))
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
